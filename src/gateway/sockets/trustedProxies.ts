import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { BlockList, isIP, isIPv6, SocketAddress, type Socket } from 'node:net';
import { proxyHeaderIn } from './proxyHeader.js';

/** Whether an address is that of a proxy which may say for whom it connects. */
export type IsTrusted = (address: string) => boolean;

/** From addresses and networks such as `10.0.0.0/8`, which the configuration has checked. */
export const trustedAmong = (proxies: readonly string[]): IsTrusted => {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
};

/**
 * The address of a request, as the last trusted proxy has it. Where a header of HTTP holds something else than an
 * address, that of the connection counts, since limits are counted by it.
 */
export const clientAddress = (ip: string, { remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string => {
  if (ip === remoteAddress || isIP(ip) === 0 || ip.includes('%')) return remoteAddress;
  return uniform(ip);
};

/**
 * One address may be written in several ways, and must have one bucket. A proxy that listens for IPv4 and IPv6 at once
 * has all of IPv4 in one network of IPv6.
 */
const uniform = (ip: string): string => {
  const { address } = new SocketAddress({ address: ip, family: isIPv6(ip) ? 'ipv6' : 'ipv4' });
  return address.replace(/^::ffff:(?=\d+\.)/, '');
};

export type BehindProxies = {
  readonly isTrusted: IsTrusted;
  /** A trusted proxy has this long for its header, or for the first bytes that are none. */
  readonly headerMillisMax: number;
  readonly options: ServerOptions;
  /** The connection has its client's address now, or that of a proxy which says nothing of a client before HTTP. */
  readonly begun: (connection: Socket) => void;
};

/**
 * An HTTP server whose connections from trusted proxies may begin with a header of the PROXY protocol. The connection
 * then has the client's address. A malformed header, or none in time, closes the connection. Others are left alone, so
 * that to them such a header is what it is to any HTTP server.
 */
export const serverBehindProxies = (handler: RequestListener, proxies: BehindProxies): Server => {
  const server = createServer(proxies.options, handler);
  // The listener of Node's own, which reads HTTP. It comes after the header.
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const begin = (): void => {
      proxies.begun(socket);
      for (const listener of listeners) Reflect.apply(listener, server, [socket]);
    };
    if (proxies.isTrusted(socket.remoteAddress ?? '')) takeHeader(socket, proxies, begin);
    else begin();
  });
  return server;
};

const takeHeader = (socket: Socket, { headerMillisMax }: BehindProxies, begin: () => void): void => {
  let head = Buffer.alloc(0);
  const giveUp = (): void => void socket.destroy();
  const late = setTimeout(giveUp, headerMillisMax);
  const look = (): void => {
    const chunk = socket.read() as Buffer | null; // No encoding is set, so there are bytes or none.
    if (chunk === null) return;
    head = Buffer.concat([head, chunk]);
    const header = proxyHeaderIn(head);
    if (header.status === 'incomplete') return;
    over();
    if (header.status === 'malformed') {
      giveUp();
      return;
    }
    const bytes = header.status === 'found' ? header.bytes : 0;
    if (header.status === 'found' && header.client !== undefined) nameClient(socket, header.client);
    if (bytes < head.length) socket.unshift(head.subarray(bytes));
    begin();
  };
  const over = (): void => {
    clearTimeout(late);
    socket.off('readable', look).off('error', giveUp).off('end', giveUp).off('close', over);
  };
  socket.on('readable', look).on('error', giveUp).on('end', giveUp).on('close', over);
};

/** Everything that asks the connection for its address, Fastify among them, now hears the client's. */
const nameClient = (socket: Socket, client: string): void => {
  Object.defineProperty(socket, 'remoteAddress', { value: uniform(client) });
};
