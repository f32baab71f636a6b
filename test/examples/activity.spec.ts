import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkedModule } from '../../src/adapters/projectionModules/declaration.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(root, 'examples', 'activity');

describe('the example of a projection of your own', () => {
  it('passes its own tests, as it stands', () => {
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const { status, stdout } = spawnSync(process.execPath, ['--test', 'activity.test.js'], {
      ...{ cwd: folder, env: environment, encoding: 'utf8' },
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /pass 2/);
  });

  it('is what the server takes, and is shown whole in docs/projections.md', async () => {
    const { projection } = (await import(join(folder, 'activity.js'))) as { readonly projection: unknown };
    assert.equal(checkedModule(projection).declared.name, 'activity');
    const page = readFileSync(join(root, 'docs', 'projections.md'), 'utf8');
    assert.ok(page.includes(readFileSync(join(folder, 'activity.js'), 'utf8').trim()));
  });

  it('finds the types that the package exports', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly exports: { readonly './projections': Readonly<Record<string, string>> };
    };
    const places = Object.values(exports['./projections']);
    assert.equal(places.length, 2);
    for (const place of places) assert.ok(existsSync(join(root, place)), place);
  });
});
