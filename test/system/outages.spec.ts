import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { join } from 'node:path';
import { freshFolder } from '../support/dataFolders.js';
import { startStandIn } from '../support/eventStoreDb/standIn.js';
import { serverProcess } from '../support/serverProcess.js';

const outages = 9;
const warnLevel = 40;

type Line = Readonly<Record<string, unknown>>;

/** The lines that somebody should look at, of a server that logs JSON. */
const troublesIn = (output: string): readonly Line[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line) // As the logger writes it: an object.
    .filter(({ level }) => typeof level === 'number' && level >= warnLevel);

describe('a server whose event log goes away again and again', () => {
  it('says so in one line each time, and in one when it is back', async (t) => {
    const standIn = await startStandIn();
    t.after(standIn.kill);
    const server = serverProcess(t, {
      OSMIUM_DATA_DIR: join(freshFolder(t), 'data'),
      OSMIUM_EVENT_LOG: standIn.connectionString.replace('esdb://', 'esdb://me:secret@'),
    });
    await server.ready;
    const before = troublesIn(server.output()).length;
    const told = async (count: number): Promise<void> => {
      while (troublesIn(server.output()).length < before + count) await new Promise((go) => setTimeout(go, 20));
    };
    for (let outage = 0; outage < outages; outage += 1) {
      standIn.kill();
      await told(2 * outage + 1);
      await standIn.start();
      await told(2 * outage + 2);
    }
    const lines = troublesIn(server.output()).slice(before);
    assert.equal(lines.length, 2 * outages);
    for (const [index, line] of lines.entries()) {
      assert.equal(line['msg'], index % 2 === 0 ? 'EventStoreDB is away' : 'EventStoreDB is there again');
      assert.equal(line['address'], standIn.connectionString.replace('tls=false', '…').replace('://', '://…@'));
      if (index % 2 === 0) assert.match(String(line['waits']), /^(following the log|reading|appending)$/);
      else assert.ok(Number(line['seconds']) >= 0 && line['waited'] !== undefined, JSON.stringify(line));
    }
    assert.doesNotMatch(server.output(), /secret|\bat .*\.js:/);
  });
});
