import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { connectInFolder, listenInFolder } from '../../src/adapters/dataFolder/adminSocket.js';
import { lineOf } from '../../src/admin/doorProtocol.js';
import { otherRelease } from '../../src/cli/release.js';
import { freshFolder } from '../support/dataFolders.js';

/** Of release 2, about a folder on whose door somebody answers with this text. */
const said = async (t: TestContext, result: string): Promise<string | undefined> => {
  const folder = freshFolder(t);
  const door = await listenInFolder(folder, (socket) => {
    socket.on('error', () => undefined).on('data', () => socket.end(lineOf({ result, exitCode: 0 })));
  });
  t.after(door.close);
  return otherRelease({ folder, connect: connectInFolder, version: '2.0.0' });
};

describe('a program that reads the files of a running server', () => {
  it('says so when the server is of another release, and nothing when it is of the same', async (t) => {
    const told = await said(t, '{"version":"1.0.0"}');
    assert.match(told ?? '', /is of release 1\.0\.0, this program of 2\.0\.0/);
    assert.equal(await said(t, '{"version":"2.0.0"}'), undefined);
  });

  it('goes on when the answer is none, and when no server runs', async (t) => {
    for (const answer of ['tea', '{}', 'null']) assert.equal(await said(t, answer), undefined);
    const none = { folder: freshFolder(t), connect: connectInFolder, version: '2.0.0' };
    assert.equal(await otherRelease(none), undefined);
  });
});
