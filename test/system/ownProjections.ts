import { type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freshFolder } from '../support/dataFolders.js';
import { testServer, type TestServer } from '../support/server.js';
import { found, inChannel, say } from './places.js';
import { signUp } from './seat.js';

export const activity = fileURLToPath(new URL('../../../examples/activity/activity.js', import.meta.url));

export const lookMillis = 50;

export const started = async (t: TestContext, environment: Readonly<Record<string, string>>): Promise<TestServer> => {
  const server = await testServer({ dataDir: freshFolder(t), environment });
  t.after(() => server.close());
  return server;
};

export const talk = async ({ url }: TestServer, texts: readonly string[]): Promise<void> => {
  const ada = await signUp(url, 'Ada');
  const town = await found(ada, 'Town');
  for (const text of texts) await say(ada, inChannel(town.community, town.general), text);
  await ada.raw.leave();
};

/** Once it is open and has come to the end of the log, or has stopped. */
export const settled = async (server: TestServer, name: string) => {
  for (;;) {
    const { own, lags } = await server.readiness();
    const one = own.find((report) => report.name === name);
    if (typeof one?.stopped === 'string' || lags.some(({ of, positions }) => of === `own ${name}` && positions === 0))
      return one;
    await pause(lookMillis);
  }
};

type Line = { readonly key: string; readonly document: Readonly<Record<string, unknown>> };
export const linesIn = (output: string): readonly Line[] =>
  output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
