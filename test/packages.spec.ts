import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { z } from 'zod';
import { sourcesIn, textOf, walk } from './support/sources.js';

const names = z.object({ dependencies: z.record(z.string(), z.string()) });
const optional = z.object({ optionalDependencies: z.record(z.string(), z.string()) });
const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({ integrity: z.string().optional(), hasInstallScript: z.boolean().optional() }),
  ),
});

/** The packages that a text which names a module may mean: `@scope/name` of `@scope/name/file.js`. */
const packageOf = (module: string): string => module.split('/', module.startsWith('@') ? 2 : 1).join('/');

describe('packages', () => {
  it('that are declared for the server are imported by it', () => {
    const imported = new Set(
      sourcesIn('src').flatMap(({ tree }) =>
        [...walk(tree)].filter((node) => ts.isStringLiteral(node)).map(({ text }) => packageOf(text)),
      ),
    );
    const declared = Object.keys(names.parse(JSON.parse(textOf('package.json'))).dependencies);
    assert.ok(declared.length > 10);
    assert.deepEqual(
      declared.filter((name) => !imported.has(name)),
      [],
    );
  });

  const locked = Object.entries(lock.parse(JSON.parse(textOf('package-lock.json'))).packages).filter(
    ([path]) => path !== '',
  );

  it('have a hash in the lockfile, each of them', () => {
    assert.ok(locked.length > 100);
    assert.deepEqual(
      locked.filter(([, { integrity = '' }]) => !integrity.startsWith('sha512-')).map(([path]) => path),
      [],
    );
  });

  it('that are optional are used by a library that is pinned, and names them', () => {
    const { optionalDependencies } = optional.parse(JSON.parse(textOf('package.json')));
    const { dependencies } = names.parse(JSON.parse(textOf('package.json')));
    assert.deepEqual(Object.keys(optionalDependencies), ['bufferutil']);
    assert.match(dependencies['ws'] ?? '', /^\d/);
    assert.match(textOf('node_modules/ws/lib/buffer-util.js'), /require\('bufferutil'\)/);
  });

  it('run scripts when they are installed in four cases', () => {
    const running = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
    assert.deepEqual(running.sort(), [
      'node_modules/@grpc/proto-loader/node_modules/protobufjs',
      'node_modules/bufferutil',
      'node_modules/lmdb',
      'node_modules/msgpackr-extract',
    ]);
  });
});
