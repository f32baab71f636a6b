import { readFileSync } from 'node:fs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/** A reason for which a server cannot be reached, and a remedy, each for the middle of a sentence. */
export type Obstacle = { readonly host: string; readonly why: string; readonly cure: string };

type Door = {
  readonly host: string;
  readonly port: number;
  readonly wantsTls: boolean;
  readonly caFile: string | undefined;
  readonly trustsAnybody: boolean;
};

const knockMillisMax = 2_000;
const portsByScheme: Readonly<Record<string, number>> = { esdb: 2_113, mongodb: 27_017, redis: 6_379, rediss: 6_379 };

/**
 * Connects to each of the hosts of an address and says why the first one that cannot be reached cannot. Drivers keep that
 * to themselves, or bury it. Undefined when all of them can be reached, or when the address leads to others by DNS.
 */
export const obstacleAt = async (url: string): Promise<Obstacle | undefined> => {
  for (const door of doorsOf(url)) {
    const obstacle = await knock(door);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
};

const doorsOf = (url: string): readonly Door[] => {
  const [, scheme = '', way = '', hosts = '', options = ''] =
    /^([a-z]+)(\+[a-z]+)?:\/\/(?:[^/?]*@)?([^/?]+)[^?]*\??(.*)$/is.exec(url) ?? [];
  if (way.toLowerCase() === '+srv') return [];
  const given = new Map([...new URLSearchParams(options)].map(([name, value]) => [name.toLowerCase(), value]));
  const kind = scheme.toLowerCase();
  return hosts.split(',').map((one) => {
    const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(one) ?? [];
    return {
      host: bracketed ?? plain,
      port: port === undefined ? (portsByScheme[kind] ?? 0) : Number(port),
      wantsTls: wantsTls(kind, given.get('tls') ?? given.get('ssl')),
      caFile: given.get('tlscafile'),
      trustsAnybody:
        given.get('tlsverifycert') === 'false' ||
        given.get('tlsinsecure') === 'true' ||
        given.get('tlsallowinvalidcertificates') === 'true',
    };
  });
};

const wantsTls = (scheme: string, given: string | undefined): boolean =>
  scheme === 'rediss' || (scheme === 'esdb' ? given !== 'false' : given === 'true');

const knock = async (door: Door): Promise<Obstacle | undefined> => {
  const plain = await settled(connectPlain({ host: door.host, port: door.port }), 'connect');
  if (plain !== undefined) return unreachable(door, plain);
  // A server that wants no TLS may take its time to notice that it is being greeted in it.
  const tls = secure(door);
  const failure = await settled(tls, 'secureConnect');
  const speaksTls = failure === undefined;
  const said = { host: `${door.host}:${door.port.toString()}` };
  if (!door.wantsTls)
    return speaksTls ? { ...said, why: 'it wants TLS', cure: 'take tls=false out, or ask for TLS' } : undefined;
  if (!speaksTls)
    return { ...said, why: 'it does not speak TLS', cure: 'check the port, or do without TLS (tls=false)' };
  return tls.authorized || door.trustsAnybody ? undefined : { ...said, ...distrust(tls) };
};

const secure = ({ host, port, caFile }: Door): TLSSocket =>
  connectTls({
    host,
    port,
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
  });

/** The failure, if it is one. The socket is closed then and otherwise. */
const settled = (socket: Socket, success: 'connect' | 'secureConnect'): Promise<NodeJS.ErrnoException | undefined> =>
  new Promise((resolve) => {
    const end = (error?: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(error);
    };
    const timer = setTimeout(() => end(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), knockMillisMax);
    // Also errors that come after the end, which would otherwise have no listener.
    socket.on('error', end);
    socket.once('close', () => end(new Error('the connection was closed')));
    socket.once(success, () => end());
  });

const unreachable = ({ host, port }: Door, { code = '', message }: NodeJS.ErrnoException): Obstacle => {
  const at = `${host}:${port.toString()}`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { host: at, why: 'no host has this name', cure: 'check the name' };
  if (code === 'ECONNREFUSED')
    return { host: at, why: 'nothing listens there', cure: 'check the port, and start the server' };
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return { host: at, why: 'nothing answers there', cure: 'check the address and the firewall' };
  }
  return { host: at, why: message, cure: 'check the address' };
};

const distrust = ({ authorizationError }: TLSSocket): Omit<Obstacle, 'host'> => {
  // Declared as an error, it is in fact the code of one.
  const code = String(authorizationError);
  if (code === 'CERT_HAS_EXPIRED') return { why: 'its certificate has expired', cure: 'give it a new one' };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return { why: 'its certificate is for another name', cure: 'use the name that stands in it' };
  }
  return {
    why: 'its certificate is not signed by an authority this machine trusts',
    cure: 'give tlsCAFile, or NODE_EXTRA_CA_CERTS for Redis',
  };
};
