import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { parsedJson } from '../../kernel/json.js';
import type { AskedKeys, DeclaredModule, FoldedEvents, ModuleDocument } from '../../kernel/ports/projectionModule.js';
import { checkedModule } from './declaration.js';
import { moduleFolding, reasonIn, type ModuleEvent, type ModuleFolding } from './moduleFolding.js';

/** The program of the process that a module has for itself: a line for each call on standard input, and one for each answer. */

/** One call, as a line of JSON. */
export type ModuleCall =
  | { readonly keysOf: readonly ModuleEvent[] }
  | { readonly fold: { readonly from: number; readonly to: number }; readonly documents: readonly ModuleDocument[] };

/** The first is that of loading. */
export type ModuleAnswer =
  { readonly declared: DeclaredModule } | { readonly failed: string } | AskedKeys | FoldedEvents;

/** Beside standard output, which is for what a module prints. */
const answersDescriptor = 3;

const answers = createWriteStream('', { fd: answersDescriptor });
const answer = (line: ModuleAnswer): void => {
  answers.write(`${JSON.stringify(line)}\n`);
};

const loaded = async (): Promise<ModuleFolding | undefined> => {
  try {
    const module: unknown = await import(pathToFileURL(process.argv[2] ?? '').href);
    const exported =
      typeof module === 'object' && module !== null && 'projection' in module ? module.projection : undefined;
    const checked = checkedModule(exported);
    answer({ declared: checked.declared });
    return moduleFolding(checked);
  } catch (error) {
    answer({ failed: reasonIn(error) });
    return undefined;
  }
};

const answerTo = (folding: ModuleFolding, line: string): void => {
  // Written by `startModule`, which is of the same release.
  const call = parsedJson(line) as ModuleCall;
  answer('keysOf' in call ? folding.keysOf(call.keysOf) : folding.fold(call.fold, call.documents));
};

const parentLookMillis = 1_000;

/** A server that was killed cannot end a module in a loop that never reads on. A thread of its own sees it. */
const watchParent = (): void => {
  const watching = `const parent = process.ppid;
    setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), ${parentLookMillis.toString()});`;
  new Worker(watching, { eval: true }).unref();
};

watchParent();
const folding = await loaded();
if (folding !== undefined) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    answerTo(folding, line);
  });
  // The server has gone, or has no more use for it. A module may have begun something that would keep the process.
  lines.on('close', () => process.exit(0));
}
