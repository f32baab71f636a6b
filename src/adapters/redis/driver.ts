import { isIP } from 'node:net';
import { Redis as Driver, type RedisOptions } from 'ioredis';
import { answerMillisMax } from './pipeline.js';

/** A connection on which nothing comes for so long, although something should, is dropped. */
export const silenceMillisMax = 2_000;

const retryMillisMin = 50;
const retryMillisMax = 1_000;

export const driverFor = (url: string): Driver => new Driver(url, { ...options, ...tlsOf(url) });

/** Several servers may share an address and be told apart by the name that is asked for, which ioredis (6.0) leaves out. */
const tlsOf = (url: string): Pick<RedisOptions, 'tls'> => {
  if (!url.startsWith('rediss:')) return {};
  const { hostname } = new URL(url);
  // TLS has no place for the number of a machine, which may be in brackets here.
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? { tls: { servername: hostname } } : {};
};

/**
 * Every option that waits, queues or resends by itself is off; callers go on without Redis and try again when it is
 * back.
 */
const options = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // It would leave a rejection unhandled when the connection is lost once more. Subscribers see to it themselves.
  autoResubscribe: false,
  connectTimeout: silenceMillisMax,
  // Also ends connections that are accepted and then left without any answer, as a stopped process does.
  socketTimeout: silenceMillisMax,
  disconnectTimeout: answerMillisMax,
  maxLoadingRetryTime: retryMillisMax,
  retryStrategy: (times: number): number => {
    const millis = Math.min(retryMillisMin * 2 ** (times - 1), retryMillisMax);
    // Nodes that lost it at the same time do not come back at the same time.
    return millis * (0.5 + Math.random() / 2);
  },
  // The address leads to what is a replica by now: look where it leads next. In a script Redis 6 says so in mid-sentence.
  reconnectOnError: ({ message }: Error): boolean => /^(?:ERR .*-)?READONLY /.test(message),
};
