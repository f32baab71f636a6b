import type { FastifyServerOptions } from 'fastify';

const uncompiled = (): never => {
  throw new Error('no route has a schema');
};

/** An option of Fastify: no route here has a schema, and to load what compiles schemas is a part of each start. */
export const noSchemas: Pick<FastifyServerOptions, 'schemaController'> = {
  schemaController: { compilersFactory: { buildValidator: () => uncompiled, buildSerializer: () => uncompiled } },
};
