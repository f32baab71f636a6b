import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { configFrom, type Environment } from '../../src/config.js';
import { startOsmium, type Osmium, type ContainerOverrides } from '../../src/container.js';
import { rememberOperatorPort } from './operatorPorts.js';
import { quickHasher } from './quickHasher.js';

/** A whole server in this process, on a port and in a folder of its own. */
export interface TestServer extends Osmium {
  readonly dataDir: string;
  /** Stops it, and starts another one on the same folder. The port is another one. */
  restarted(): Promise<TestServer>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

export type TestServerOptions = ContainerOverrides & {
  /** On top of what a test server has: a free port, a folder of its own, no rate limits. */
  readonly environment?: Environment;
  /** Keeps what is there. Default: a new folder. */
  readonly dataDir?: string;
};

export const testServer = async ({
  environment,
  dataDir,
  ...overrides
}: TestServerOptions = {}): Promise<TestServer> => {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'osmium-test-')));
  const config = configFrom({
    OSMIUM_PORT: '0',
    OSMIUM_ADMIN_PORT: '0',
    OSMIUM_RATE_LIMITS: 'off',
    // No test opens a connection to the outside.
    OSMIUM_EMBEDS: 'off',
    ...environment,
    OSMIUM_DATA_DIR: folder,
  });
  const osmium = await startOsmium(config, { hasher: quickHasher, logger: pino({ level: 'silent' }), ...overrides });
  if (osmium.adminPort !== undefined) rememberOperatorPort(osmium.port, osmium.adminPort);
  return {
    ...osmium,
    dataDir: folder,
    restarted: async () => {
      await osmium.close();
      return testServer({ ...overrides, ...(environment === undefined ? {} : { environment }), dataDir: folder });
    },
    remove: async () => {
      await osmium.close();
      // Another server may have been started on the folder, and its hook comes later.
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
};
