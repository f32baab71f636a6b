import { done } from '../doorProtocol.js';
import { declareVerb } from '../verb.js';

export const metrics = declareVerb({
  name: 'metrics',
  access: 'read',
  says: 'Print the metrics of the running server, in the text format of Prometheus.',
  arguments: {},
  folders: 'option',
  running: async (server) => done(await server.metrics()),
  stopped: 'no server runs on this data folder',
});
