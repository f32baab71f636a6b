import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { Report, Readiness } from '../operations/health.js';
import type { Metrics } from '../operations/metrics.js';
import { httpServer } from './httpServer.js';
import { noSchemas } from './noSchemas.js';
import { listensOnLoopback, mayAsk } from './origins.js';
import { requestMillisMax } from './timeouts.js';

export type AdminServerNeeds = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly readiness: () => Promise<Readiness & Report>;
  /** Default: `requestMillisMax`. */
  readonly requestMillis?: number;
};

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The port of the operator: readiness with all its details, and the metrics. It answers questions and takes no orders.
 * Throws when the address cannot be listened on.
 */
export const serveAdmin = async (needs: AdminServerNeeds): Promise<AdminServer> => {
  const { host, port, metrics, readiness, requestMillis = requestMillisMax } = needs;
  const { fastifyOptions } = httpServer({ requestMillis });
  const app = fastify({ forceCloseConnections: true, ...noSchemas, ...fastifyOptions });
  app.addHook('onRequest', (request, reply, done) => {
    if (mayAsk({ origins: [], onLoopback: listensOnLoopback(app.server) }, request.raw.headersDistinct['host'] ?? [])) {
      done();
      return;
    }
    void reply.code(403).header('connection', 'close').send({ error: 'ask under a name of this machine’s own' });
  });
  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', async (_, reply) => {
    const state = await readiness();
    return reply.code(state.ready ? 200 : 503).send(state);
  });
  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  await app.listen({ host, port });
  // A TCP server that listens has an address of this kind.
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
};
