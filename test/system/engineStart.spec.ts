import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { freshFolder } from '../support/dataFolders.js';
import type { ReadFault } from '../support/eventStoreDb/faults.js';
import { selfSigned } from '../support/eventStoreDb/selfSigned.js';
import { startStandIn, type StandIn } from '../support/eventStoreDb/standIn.js';
import { serverProcess, type ServerProcess } from '../support/serverProcess.js';

const noPort = 1;

const started = (t: TestContext, environment: Readonly<Record<string, string>>): ServerProcess =>
  serverProcess(t, { OSMIUM_DATA_DIR: join(freshFolder(t), 'data'), ...environment });

const onLog = (t: TestContext, url: string): ServerProcess => started(t, { OSMIUM_EVENT_LOG: url });

/** Resolves once it has written so many lines like this. */
const says = async ({ output }: ServerProcess, expected: RegExp, lines = 1): Promise<void> => {
  const found = (): number =>
    output()
      .split('\n')
      .filter((line) => expected.test(line)).length;
  while (found() < lines) await new Promise((go) => setTimeout(go, 20));
};

const saysNothingElse = ({ output }: ServerProcess): void => {
  assert.doesNotMatch(output(), /s3cret/);
  assert.doesNotMatch(output(), /\bat .*\.[jt]s:\d/);
};

describe('a server whose event log cannot be reached', () => {
  const certificate = selfSigned();
  const skip = certificate === undefined && 'openssl is not installed';
  let secured: StandIn;
  let plain: StandIn;
  before(async () => {
    plain = await startStandIn();
    if (certificate !== undefined) secured = await startStandIn({ tls: certificate });
  });
  after(() => {
    plain.kill();
    if (certificate === undefined) return;
    secured.kill();
    rmSync(certificate.folder, { recursive: true });
  });

  const waits = async (t: TestContext, url: string, expected: RegExp): Promise<void> => {
    const server = onLog(t, url);
    await says(server, expected);
    saysNothingElse(server);
  };

  it('says that it wants TLS', { skip }, (t) =>
    waits(
      t,
      `esdb://me:s3cret@127.0.0.1:${secured.state.port.toString()}?tls=false`,
      /OSMIUM_EVENT_LOG: esdb:.*127\.0\.0\.1:\d+.* cannot be reached, and is tried again: .*it wants TLS: take tls=false out/,
    ),
  );

  it('says that its authority is not trusted', { skip }, (t) =>
    waits(
      t,
      `esdb://me:s3cret@127.0.0.1:${secured.state.port.toString()}`,
      /OSMIUM_EVENT_LOG: .*not signed by an authority this machine trusts: give tlsCAFile/,
    ),
  );

  it('says that it does not speak TLS', (t) =>
    waits(
      t,
      `esdb://me:s3cret@127.0.0.1:${plain.state.port.toString()}`,
      /OSMIUM_EVENT_LOG: .*it does not speak TLS: check the port/,
    ));

  it('says that its name is unknown', (t) =>
    waits(t, 'esdb://me:s3cret@nobody.invalid:2113', /nobody\.invalid:2113: no host has this name: check the name/));

  it('says that nothing listens there, again while it tries, and starts once something does', async (t) => {
    const standIn = await startStandIn();
    standIn.kill();
    const server = onLog(t, standIn.connectionString);
    await says(server, /OSMIUM_EVENT_LOG: .*nothing listens there: check the port/, 2);
    await standIn.start();
    t.after(standIn.kill);
    await server.ready;
    saysNothingElse(server);
  });

  const ends = async (server: ServerProcess, expected: RegExp): Promise<void> => {
    assert.equal(await server.ended, 1, server.output());
    assert.match(server.output(), expected);
    saysNothingElse(server);
  };

  for (const [fault, why] of [
    ['unauthenticated', /does not accept the user and the password/],
    ['denied', /has not all the rights/],
  ] as const satisfies readonly (readonly [ReadFault, RegExp])[]) {
    it(`ends, and says why: ${fault}`, async (t) => {
      const standIn = await startStandIn();
      t.after(standIn.kill);
      standIn.state.faults.reads.next(fault, { times: 100 });
      await ends(onLog(t, standIn.connectionString.replace('://', '://me:s3cret@')), why);
    });
  }

  it('ends, and names the missing file of its authority', (t) =>
    ends(
      onLog(t, 'esdb://me:s3cret@127.0.0.1:2113?tlsCAFile=/nowhere/ca.pem'),
      /^OSMIUM_EVENT_LOG: .*tlsCAFile.*not there/m,
    ));
});

describe('a server whose MongoDB or Redis cannot be reached', () => {
  it('says so at once and goes on trying', async (t) => {
    const key = join(freshFolder(t), 'master.key');
    writeFileSync(key, randomBytes(32), { mode: 0o600 });
    const standIn = await startStandIn();
    t.after(standIn.kill);
    const server = started(t, {
      OSMIUM_EVENT_LOG: standIn.connectionString,
      OSMIUM_DOCUMENTS: `mongodb://me:s3cret@127.0.0.1:${noPort.toString()}/osmium`,
      OSMIUM_MASTER_KEY_FILE: key,
      OSMIUM_BLOBS: `file://${freshFolder(t)}`,
    });
    await says(server, /OSMIUM_DOCUMENTS: mongodb:.*cannot be reached, and is tried again: .*nothing listens there/);
    saysNothingElse(server);
  });

  it('starts without Redis, and says why it is alone', async (t) => {
    const server = started(t, { OSMIUM_PUBSUB: `redis://me:s3cret@127.0.0.1:${noPort.toString()}` });
    await server.ready;
    await says(server, /OSMIUM_PUBSUB: redis:.*cannot be reached, and is tried again: .*nothing listens there/);
    saysNothingElse(server);
  });
});
