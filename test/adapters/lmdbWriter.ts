/** Writes to the log and the documents below a folder until its input ends, and says what it lost of its own commits. */
import { join } from 'node:path';
import { lmdbDocuments } from '../../src/adapters/documents/lmdb.js';
import { lmdbEventLog } from '../../src/adapters/eventLog/lmdb.js';
import type { Millis } from '../../src/kernel/ids.js';
import { freshStream, someEvent } from '../contracts/eventLog.js';

const [, , folder = ''] = process.argv;
const log = await lmdbEventLog({ folder: join(folder, 'log'), now: () => Date.now() as Millis });
const documents = lmdbDocuments({ folder: join(folder, 'documents') });
await documents.open([{ name: 'notes_v1', indexes: [] }]);

const ending = new AbortController();
process.stdin.resume().once('end', () => {
  ending.abort();
});
const text = 'x'.repeat(50_000);
const lost: bigint[] = [];
let commits = 0n;

const write = async (): Promise<void> => {
  const position = commits + 1n;
  const document = { collection: 'notes_v1', key: `n${(position % 50n).toString()}`, document: { text, position } };
  await documents.commit([{ ...document, position, indexKeys: {} }], [{ projection: 'notes', position }]);
  commits = position;
  await log.append(freshStream(), [someEvent()], 'noStream');
  if ((await documents.checkpoint('notes')) !== position) lost.push(position);
};

console.log('begun');
while (!ending.signal.aborted) await write();
// Positions of the log are dense.
const events = await log.readAll({ limit: Number(commits) + 1 });
console.log(JSON.stringify({ commits: Number(commits), lost: lost.length, events: events.length }));
await documents.close();
await log.close();
