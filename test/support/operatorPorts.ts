/** The operator's ports of the servers that this process has started, by the ports of their clients. */
const operatorPorts = new Map<number, number>();

/** The client's port that a server says in its line, once it has; its other port is remembered with it. */
export const portsIn = (output: string): number | undefined => {
  const [, port, operatorPort] = /"port":(\d+),"adminPort":(\d+),.*ready for clients/.exec(output) ?? [];
  if (port === undefined) return undefined;
  rememberOperatorPort(Number(port), Number(operatorPort));
  return Number(port);
};

export const rememberOperatorPort = (port: number, operatorPort: number): void => {
  operatorPorts.set(port, operatorPort);
};

/** Of the server whose clients connect to that port. */
export const metricsOf = async (port: number): Promise<string> => (await fetch(operatorUrl(port, 'metrics'))).text();

export const portIn = (url: string): number => Number(new URL(url).port);

export const operatorUrl = (port: number, path: string): string => {
  const operatorPort = operatorPorts.get(port);
  if (operatorPort === undefined) throw new Error(`no operator's port is known beside ${port.toString()}`);
  return `http://127.0.0.1:${operatorPort.toString()}/${path}`;
};
