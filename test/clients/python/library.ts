import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** Of the sources: programs are not compiled. */
const folder = `${root}test/clients/python/`;
const fetched = `${root}node_modules/.cache/osmium-chat/bin/python`;

/** A Python with the library of bots. It is not fetched by the tests, because they need no network. */
export const python = process.env['OSMIUM_PYTHON'] ?? (existsSync(fetched) ? fetched : 'python3');

const prefix = spawnSync(python, ['-c', 'import osmium_chat, sys; print(sys.prefix)'], { encoding: 'utf8' });

/** For `skip`: false where the library is, and otherwise how to get it. */
export const withoutLibrary =
  prefix.status === 0 ? false : 'needs osmium-chat for Python: run test/clients/python/fetch.sh, or set OSMIUM_PYTHON';

/** The same of the examples in the source of the library. */
export const withoutExamples =
  withoutLibrary !== false || existsSync(`${prefix.stdout.trim()}/examples`)
    ? withoutLibrary
    : 'needs the examples of osmium-chat for Python: run test/clients/python/fetch.sh';

/** What a program says in one line. */
export type Line = Readonly<
  Partial<Record<'bot' | 'method' | 'outcome' | 'failed' | 'error' | 'log' | 'level', string>>
> & {
  readonly connected?: boolean;
  readonly methods?: readonly string[];
};

export interface Program {
  lines(): readonly Line[];
  /** The first line that fits, said or to be said. Rejects when the program ends without one. */
  line(fits: (line: Line) => boolean): Promise<Line>;
  stop(): void;
}

export type ProgramOptions = { readonly cwd: string; readonly environment: Readonly<Record<string, string>> };

/** One of the programs beside this file, which say what they do in lines of JSON. */
export const program = (file: string, { cwd, environment }: ProgramOptions): Program => {
  const variables = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', ...environment };
  const child = spawn(python, [`${folder}${file}`], { cwd, env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Line[] = [];
  const looking = new Set<() => void>();
  let unread = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    const lines = `${unread}${data}`.split('\n');
    unread = lines.pop() ?? '';
    said.push(...lines.map((line) => JSON.parse(line) as Line)); // Nothing else is printed by `reporting.py`.
    for (const look of looking) look();
  });
  child.stderr.setEncoding('utf8').on('data', (data: string) => (errors += data));
  const ended = new Promise<never>((_, fail) => {
    child.on('close', () => {
      fail(new Error(`${file} has ended: ${errors}`));
    });
  });
  ended.catch(() => undefined);
  const line: Program['line'] = (fits) =>
    new Promise((resolve, fail) => {
      const look = (): void => {
        const found = said.find(fits);
        if (found !== undefined) resolve(found);
      };
      looking.add(look);
      look();
      ended.catch(fail);
    });
  return { lines: () => said, line, stop: () => child.kill('SIGKILL') };
};
