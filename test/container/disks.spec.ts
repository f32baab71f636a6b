import 'reflect-metadata';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { container as root } from 'tsyringe';
import { areOnOneDisk } from '../../src/adapters/system/disk.js';
import { configFrom, type Environment } from '../../src/config.js';
import { watchDisks } from '../../src/container/disks.js';
import { registerSystem } from '../../src/container/system.js';
import { of } from '../../src/container/tokens.js';

const watchedBy = async (t: TestContext, environment: Environment) => {
  const folder = await mkdtemp(join(tmpdir(), 'osmium-disks-'));
  const container = root.createChildContainer();
  registerSystem(
    container,
    configFrom({
      OSMIUM_DATA_DIR: folder,
      OSMIUM_BLOBS: pathToFileURL(join(folder, 'not', 'there', 'yet')).href,
      ...environment,
    }),
    { logger: pino({ level: 'silent' }) },
  );
  const stops = await watchDisks(container, (wanted) => container.resolve(wanted));
  t.after(async () => {
    for (const stop of stops) await stop();
    await rm(folder, { recursive: true });
  });
  return { data: container.resolve(of.freeDisk), files: container.resolve(of.fileDisk) };
};

const elsewhere: Environment = {
  OSMIUM_EVENT_LOG: 'esdb://127.0.0.1:2113',
  OSMIUM_DOCUMENTS: 'mongodb://127.0.0.1/a',
  OSMIUM_MASTER_KEY_FILE: '/not/read/here',
};

describe('the disk of files', () => {
  it('is watched where nothing else is kept on this machine, before the folder is there', async (t) => {
    const { data, files } = await watchedBy(t, elsewhere);
    assert.equal(data.freeBytes(), undefined);
    assert.ok((files.freeBytes() ?? 0) > 0);
  });

  it('is that of the data folder where both are on one, and is asked once', async (t) => {
    const { data, files } = await watchedBy(t, {});
    assert.ok((data.freeBytes() ?? 0) > 0);
    assert.equal(files, data);
  });

  it('is nobody’s here where files are in a bucket', async (t) => {
    const { files } = await watchedBy(t, { OSMIUM_BLOBS: 's3://files?endpoint=http://127.0.0.1:7070' });
    assert.deepEqual([files.freeBytes(), files.mayBuild()], [undefined, true]);
  });

  it('is another one in a volume of its own', { skip: process.platform !== 'linux' }, () => {
    assert.equal(areOnOneDisk('/proc', tmpdir()), false);
    assert.equal(areOnOneDisk(join(tmpdir(), 'not', 'there'), tmpdir()), true);
  });
});
