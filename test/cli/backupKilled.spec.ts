import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freshFolder } from '../support/dataFolders.js';
import { serverProcess } from '../support/serverProcess.js';
import { osmium } from './osmium.js';

describe('a backup whose process is killed', () => {
  it('leaves nothing that looks whole, and the data folder as it was', async (t) => {
    const [dataDir, backups] = [join(freshFolder(t), 'data'), freshFolder(t)];
    const environment = { OSMIUM_DATA_DIR: dataDir };
    const server = serverProcess(t, environment);
    await server.ready;

    const command = osmium(['backup', join(backups, 'command')], environment);
    await command.prints(/copying log/);
    command.stop('SIGKILL');
    await command.ended;
    assert.equal((await osmium(['status'], environment).ended).code, 0);

    const cut = osmium(['backup', join(backups, 'server')], environment);
    await cut.prints(/copying log/);
    server.kill('SIGKILL');
    await Promise.all([server.ended, cut.ended]);

    for (const name of ['command', 'server']) {
      const { code, errors } = await osmium(['backup', join(backups, name), '--verify'], environment).ended;
      // The command may have been quicker than the signal.
      if (code !== 0) assert.match(errors, /is no backup, or one that was cut short/);
    }
    const again = serverProcess(t, environment);
    await again.ready;
    assert.equal((await osmium(['backup', join(backups, 'after')], environment).ended).code, 0);
    assert.equal(server.errors(), '');
  });
});
