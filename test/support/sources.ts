import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The folder of the project, as seen from dist/test/support. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What is made by tools or at run time, and therefore not ours to keep tidy. */
const notOurs = new Set(['node_modules', 'dist', 'data', '.git', 'src/gen']);

/** Every file of the project, relative to `root`, with forward slashes. */
export const projectFiles = (folder = ''): readonly string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (notOurs.has(path)) return [];
    return entry.isDirectory() ? projectFiles(path) : [path];
  });

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

export type Source = { readonly path: string; readonly tree: ts.SourceFile };

/** The TypeScript files of these top folders that are written by hand, parsed. */
export const sourcesIn = (...folders: readonly string[]): readonly Source[] =>
  projectFiles()
    .filter((path) => path.endsWith('.ts') && folders.some((folder) => path.startsWith(`${folder}/`)))
    .map((path) => ({ path, tree: ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ES2023, true) }));

/** A node and all below it, parents first. */
export const walk = function* (node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of childrenOf(node)) yield* walk(child);
};

const childrenOf = (node: ts.Node): readonly ts.Node[] => {
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(child);
  });
  return children;
};

export const placeOf = ({ path, tree }: Source, node: ts.Node): string =>
  `${path}:${(tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1).toString()}`;

/** Lines from the first character of the node to its last, less those that are blank or only comment. */
export const linesOf = ({ tree }: Source, node: ts.Node): number =>
  tree.text
    .slice(node.getStart(tree), node.end)
    .split('\n')
    .filter((line) => !/^\s*(\/\/.*|\/?\*.*)?$/.test(line)).length;
