import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { root, walk, type Source } from './sources.js';

/** What of dependency-cruiser's report is looked at. */
export type Cruised = {
  readonly modules: readonly CruisedModule[];
  readonly summary: { readonly violations: readonly Violation[] };
};
type CruisedModule = {
  readonly source: string;
  readonly dependencies: readonly { readonly resolved: string }[];
};
type Violation = { readonly rule: { readonly name: string }; readonly from: string; readonly to: string };

const outputBytesMax = 64_000_000;

/** Reads all imports of src, test and bench, by the rules that `npm run lint` goes by. */
export const cruise = (): Cruised => {
  const tool = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const folders = ['src', 'test', 'bench'].filter((folder) => existsSync(join(root, folder)));
  const options = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  // Broken rules are in the report; a run that makes no report fails where the report is parsed, with its own words.
  const { stdout, stderr } = spawnSync(process.execPath, [tool, ...folders, ...options], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: outputBytesMax,
  });
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser made no report: ${stderr}`);
  // The shape is dependency-cruiser's documented output. If it were another, the checks that use it would fail.
  return JSON.parse(stdout) as Cruised;
};

/** The paths of all sources that an entry point reaches through what files name. */
export const reachable = (sources: readonly Source[], isEntryPoint: (path: string) => boolean): ReadonlySet<string> => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const open = [...byPath.keys()].filter(isEntryPoint);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const source = byPath.get(path);
    if (source === undefined || reached.has(path)) continue;
    reached.add(path);
    open.push(...filesNamedIn(source));
  }
  return reached;
};

/**
 * Imports, exports, import(), types, and workers by `new URL`. Whatever looks like a relative path of ours counts, so
 * that a file is never called dead because of the way in which it is loaded.
 */
const filesNamedIn = ({ path, tree }: Source): readonly string[] =>
  [...walk(tree)]
    .filter((node) => ts.isStringLiteral(node))
    .filter(({ text }) => /^\.{1,2}\/.*\.js$/.test(text))
    .map(({ text }) => join(dirname(path), text).replaceAll('\\', '/').replace(/\.js$/, '.ts'));
