import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { eventKinds } from '../src/domain/registry.js';
import { closeCode } from '../src/gateway/contract/closeCodes.js';
import { chatPrefix } from '../src/kernel/chat.js';
import { storedType } from '../src/kernel/codec.js';
import { reasons } from '../src/kernel/reasons.js';
import { commentsOf } from './support/comments.js';
import {
  exportedFunctionsOf,
  exportedTypesOf,
  isBoolean,
  isWritten,
  ownLinesOf,
  parametersOf,
} from './support/functions.js';
import { cruise, reachable } from './support/imports.js';
import { placeOf, projectFiles, sourcesIn, textOf, walk, type Source } from './support/sources.js';

const linesPerFunctionMax = 60;
const parametersMax = 4;

const src = sourcesIn('src');
const all = [...src, ...sourcesIn('test', 'bench')];

/** Fails with the list of offences, and when there was nothing in which to look for any. */
const nothingIn = (looked: readonly unknown[], offences: readonly string[]): void => {
  assert.ok(looked.length > 0, 'there is nothing to check: the check is broken');
  if (offences.length > 0) assert.fail(['', ...offences].join('\n'));
};

const passesOnOnly = ({ statements }: ts.SourceFile): boolean =>
  statements.some(ts.isExportDeclaration) &&
  statements.every((statement) => ts.isExportDeclaration(statement) || ts.isImportDeclaration(statement));

const found = (sources: readonly Source[], offends: (node: ts.Node, source: Source) => boolean): readonly string[] =>
  sources.flatMap((source) =>
    [...walk(source.tree)].filter((node) => offends(node, source)).map((node) => placeOf(source, node)),
  );

describe('functions', () => {
  const functions = all.flatMap((source) => [...walk(source.tree)].filter(ts.isFunctionLike));

  it(`have at most ${linesPerFunctionMax.toString()} lines`, () => {
    const long = found(all, (node, source) => isWritten(node) && ownLinesOf(source, node) > linesPerFunctionMax);
    nothingIn(functions, long);
  });

  it(`have at most ${parametersMax.toString()} parameters`, () => {
    const wide = found(all, (node) => ts.isFunctionLike(node) && parametersOf(node).length > parametersMax);
    nothingIn(functions, wide);
  });

  it('take no boolean where they are exported', () => {
    const flagged = src
      // The codec writes booleans because the wire has them.
      .filter(({ path }) => !path.startsWith('src/wire/'))
      .flatMap((source) =>
        exportedFunctionsOf(source.tree)
          .filter((fn) => parametersOf(fn).some(isBoolean))
          .map((fn) => placeOf(source, fn)),
      );
    nothingIn(
      src.flatMap(({ tree }) => exportedFunctionsOf(tree)),
      flagged,
    );
  });
});

const comparisons: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);

/** Whether a test names the file as a program to start. */
const isStarted = (path: string): boolean => {
  const program = `${basename(path, '.ts')}.js'`;
  const names = (line: string): boolean => line.includes(program) && !line.includes(' from ');
  return all.some(({ tree }) => tree.text.includes(program) && tree.text.split('\n').some(names));
};

describe('sources', () => {
  it('have no any and no non-null assertion', () => {
    nothingIn(
      src,
      found(src, (node) => node.kind === ts.SyntaxKind.AnyKeyword || ts.isNonNullExpression(node)),
    );
  });

  it('have no barrels', () => {
    const barrels = all.filter(({ path, tree }) => path.endsWith('/index.ts') || passesOnOnly(tree));
    nothingIn(
      all,
      barrels.map(({ path }) => path),
    );
  });

  it('export each type under a name of its own', () => {
    const exported = src.flatMap(({ path, tree }) => exportedTypesOf(tree).map((name) => ({ name, path })));
    const places = new Map<string, Set<string>>();
    for (const { name, path } of exported) places.set(name, (places.get(name) ?? new Set()).add(path));
    const shared = [...places].filter(([, paths]) => paths.size > 1);
    nothingIn(
      exported,
      shared.map(([name, paths]) => `${name}: ${[...paths].join(', ')}`),
    );
  });

  it('are reached from an entry point, each of them', () => {
    // The engines in memory are for tests of every layer. The reader of pictures is a process of its own, a worker a thread.
    const isEntry = (path: string): boolean =>
      /^src\/(main|cli|adapters\/(\w+\/memory|pictures\/sharpChild)|container\/generations\/buildWorker)\.ts$/.test(
        path,
      );
    const inSrc = reachable(src, isEntry);
    const inAll = reachable(all, (path) => /\.spec\.ts$|^bench\/[^/]+\.ts$/.test(path) || isStarted(path));
    const dead = all.map(({ path }) => path).filter((path) => !(path.startsWith('src/') ? inSrc : inAll).has(path));
    nothingIn([...inSrc], dead);
  });

  it('name streams and stored types of events where the events are declared, and nowhere else', () => {
    const kinds = eventKinds.map((kind) => [kind, kind.stream(kind.fields.sample)] as const);
    const heads = new Set(kinds.map(([, stream]) => stream.slice(0, stream.indexOf('-') + 1)));
    const packages = new Set(eventKinds.map((kind) => `${kind.package}.`));
    const isStored = (text: string): boolean =>
      /^[a-z]+\.[A-Z]/.test(text) && packages.has(text.replace(/[A-Z].*/s, ''));
    const elsewhere = src.filter(({ path }) => !/^src\/domain\/\w+\/events\.ts$/.test(path));
    const texts = (node: ts.Node): string => (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) ? node.text : '');
    nothingIn(
      elsewhere,
      found(elsewhere, (node) => heads.has(texts(node)) || isStored(texts(node))),
    );
  });

  it('know the kinds of chats from kernel/chat alone', () => {
    const others = src.filter(({ path }) => path !== 'src/kernel/chat.ts' && !path.startsWith('src/gen/'));
    const kinds = Object.keys(chatPrefix);
    const keyStart = new RegExp(`^(${Object.values(chatPrefix).join('|')})\\.`);
    const isKind = (node: ts.Node | undefined): boolean =>
      node !== undefined && ts.isStringLiteralLike(node) && kinds.includes(node.text);
    // A line of a table that is missing does not compile; a comparison that is missing does.
    const compares = (node: ts.Node): boolean =>
      (ts.isBinaryExpression(node) && comparisons.has(node.operatorToken.kind) && isKind(node.right)) ||
      (ts.isCaseClause(node) && isKind(node.expression));
    const startsKey = (node: ts.Node): boolean =>
      (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) && keyStart.test(node.text);
    nothingIn(
      others,
      found(others, (node) => compares(node) || startsKey(node)),
    );
  });

  it('leave nothing for later', () => {
    const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`);
    const code = projectFiles().filter((path) => /\.(ts|mjs|cjs|js|proto|sh)$/.test(path));
    nothingIn(
      code,
      code.filter((path) => marks.test(textOf(path))),
    );
  });

  it('name no place outside of the project', () => {
    const outside = [['..', 'shared'].join('/'), ['', 'work', ''].join('/')];
    const files = projectFiles().filter((path) => !/\.(png|jpg|webp|ico|woff2)$/.test(path));
    nothingIn(
      files,
      files.filter((path) => outside.some((place) => textOf(path).includes(place))),
    );
  });
});

describe('comments', () => {
  // A reader looks for the actor in the subject of a sentence. "Who", "what" and the like name none.
  const freeRelative = /(?:^|[.!?:;]\s+)(?:who|what|whoever|whatever)\b|\b(?:whoever|whatever)\b/i;
  const comments = src.flatMap((source) => commentsOf(source).map((comment) => ({ ...comment, path: source.path })));

  it('begin no sentence and no clause with a free relative', () => {
    const offences = comments.filter(({ text }) => freeRelative.test(text));
    nothingIn(
      comments,
      offences.map(({ path, line, text }) => `${path}:${line.toString()}: ${text}`),
    );
  });

  it('are read without their marks, and as one where their lines follow each other', () => {
    const text = '// One that\n// goes on.\n\n/** Another. */\nconst a = 1; // And one behind.\n';
    const tree = ts.createSourceFile('a.ts', text, ts.ScriptTarget.ES2023, true);
    assert.deepEqual(commentsOf({ path: 'a.ts', tree }), [
      { line: 1, text: 'One that goes on.' },
      { line: 4, text: 'Another.' },
      { line: 5, text: 'And one behind.' },
    ]);
    assert.match('It goes. Who knows.', freeRelative);
    assert.doesNotMatch('The user, who knows what is said.', freeRelative);
  });
});

describe('imports', () => {
  const cruised = cruise();

  it('are all seen by dependency-cruiser', () => {
    const seen = new Set(cruised.modules.map(({ source }) => source));
    const unseen = all.map(({ path }) => path).filter((path) => !seen.has(path));
    nothingIn(all, unseen);
    const execute = cruised.modules.find(({ source }) => source === 'src/kernel/execute.ts');
    assert.ok(execute?.dependencies.some(({ resolved }) => resolved === 'src/kernel/decider.ts'));
  });

  it('keep to the table of docs/architecture.md', () => {
    const broken = cruised.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
    nothingIn(cruised.modules, broken);
  });
});

describe('docs', () => {
  it('have every reason with its code in errors.md, and no other', () => {
    const rows = [...textOf('docs/errors.md').matchAll(/^\| `([A-Z_]+)` *\| *(\d+) *\| *(yes|no) *\|/gm)];
    const documented = rows.map(([, name, code, temporary]) => [name, Number(code), temporary === 'yes'] as const);
    const declared = Object.entries(reasons).map(([name, info]) => [name, info.code, info.temporary === true] as const);
    assert.ok(declared.length > 0);
    assert.deepEqual(documented.map(String).sort(), declared.map(String).sort());
  });

  it('have every close code in errors.md, and no other', () => {
    const documented = [...textOf('docs/errors.md').matchAll(/^\| *(\d{4}) *\|/gm)].map(([, code]) => Number(code));
    const declared = Object.values(closeCode).toSorted((one, other) => one - other);
    assert.ok(declared.length > 0);
    assert.deepEqual(documented, declared);
  });

  it('have every event in events.md, and no other', () => {
    const text = textOf('docs/events.md');
    const documented = new Set([...text.matchAll(/`([a-zA-Z]+\.[A-Za-z]+\.v\d+)`/g)].map(([, type]) => type));
    assert.ok(eventKinds.length > 0);
    assert.deepEqual([...documented].sort(), eventKinds.map(storedType).sort());
    const unsaid = eventKinds.filter(({ says }) => !text.includes(says)).map(({ type }) => type);
    assert.deepEqual(unsaid, []);
  });

  for (const page of ['README.md', 'docs/operating.md']) {
    it(`have every variable of the environment in a table of ${page}, and no other`, () => {
      const read = new Set(textOf('src/config.ts').match(/\bOSMIUM_[A-Z0-9_]+\b/g));
      const documented = new Set([...textOf(page).matchAll(/^\| *`(OSMIUM_[A-Z0-9_]+)`/gm)].map(([, name]) => name));
      assert.ok(read.size > 0);
      assert.deepEqual([...documented].sort(), [...read].sort());
    });
  }
});
