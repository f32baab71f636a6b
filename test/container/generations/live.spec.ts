import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  besideMax,
  liveGenerations,
  nameBefore,
  type LiveGenerationsNeeds,
  type OpenGeneration,
} from '../../../src/container/generations/live.js';
import { GenerationInUse, type Generation } from '../../../src/kernel/ports/generations.js';
import { memoryDocuments } from '../../../src/adapters/documents/memory.js';
import type { Projections, ProjectionStatus } from '../../../src/projections/runner/runner.js';
import { NotLevel } from '../../../src/projections/runner/switchable.js';

const set = '0123456789ab';
const generationOf = (number: number, of = set): Generation => ({
  ...{ name: `${of}_${number.toString()}`, set: of, number, types: [] },
});
const [first, second, third, fourth] = [1, 2, 3, 4].map((number) => generationOf(number)) as [
  Generation,
  Generation,
  Generation,
  Generation,
];
const strange = generationOf(1, 'ba9876543210');

const status: ProjectionStatus = { name: 'messages', position: 5n, lagMillis: 0 };

const projectionsAt = (differs: Partial<Projections> = {}): Projections => ({
  reached: () => undefined,
  position: () => 9n,
  folded: { position: () => 9n, reached: () => undefined },
  peek: () => undefined,
  role: () => 'projects',
  status: () => Promise.resolve([status]),
  close: () => Promise.resolve(),
  ...differs,
});

const calling = () => ({ signal: new AbortController().signal });

const setting = (differs: Partial<LiveGenerationsNeeds> = {}, projections: Partial<Projections> = {}) => {
  const chosen: (readonly [string, string | undefined])[] = [];
  const [closed, switched]: [string[], string[]] = [[], []];
  const opened = (generation: Generation, of = projectionsAt()): OpenGeneration => ({
    ...{ generation, store: memoryDocuments(), projections: of },
    close: () => Promise.resolve(void closed.push(generation.name)),
  });
  const live = liveGenerations({
    generations: {
      list: () => Promise.resolve([first, second, third, fourth, strange]),
      serve: ({ name }, before) => Promise.resolve(void chosen.push([name, before])),
      servedBefore: () => Promise.resolve(chosen.at(-1)?.[1]),
    },
    set,
    first: opened(first),
    switchable: { switchTo: () => Promise.resolve() },
    end: () => Promise.resolve(9n),
    placeOf: () => Promise.resolve({ position: 4n, isFar: false }),
    open: (generation) => Promise.resolve(opened(generation, projectionsAt(projections))),
    switched: (to) => switched.push(to),
    ...differs,
  });
  const names = (): readonly string[] => live.all().map(({ generation }) => generation.name);
  return { live, chosen, closed, switched, names };
};

const refused = (message: RegExp) => ({ name: 'GenerationRefused', message });

describe('the generations of a running server', () => {
  it('change over, keep the former one, and go back to it', async () => {
    const { live, chosen, switched, names, closed } = setting();
    assert.deepEqual(await live.switchTo(second.name, calling()), {
      ...{ generation: second.name, before: first.name, from: 'now' },
    });
    assert.deepEqual([names(), chosen], [[second.name, first.name], [[second.name, first.name]]]);
    const before = await nameBefore({ servedBefore: () => Promise.resolve(chosen.at(-1)?.[1]) }, set);
    await live.switchTo(before, calling());
    assert.deepEqual(
      [names(), switched],
      [
        [first.name, second.name],
        [second.name, first.name],
      ],
    );
    await live.release(second.name);
    await live.release(first.name);
    assert.deepEqual([names(), closed], [[first.name], [second.name]]);
    await live.close();
    assert.deepEqual(closed, [second.name, first.name]);
  });

  it(`keep ${besideMax.toString()} beside the one that serves, and close the oldest`, async () => {
    const { live, names, closed } = setting();
    for (const { name } of [second, third, fourth]) await live.opened(name, calling());
    assert.deepEqual([names(), closed], [[first.name, third.name, fourth.name], [second.name]]);
  });

  it('change over to one that another node has chosen, without choosing it again', async () => {
    const { live, chosen, names } = setting();
    await live.follow(second.name, calling());
    await live.follow(second.name, calling());
    assert.deepEqual([names(), chosen], [[second.name, first.name], []]);
  });

  const refusals: Readonly<Record<string, readonly [string, RegExp, Parameters<typeof setting>]>> = {
    'serves already': [first.name, /serves already/, []],
    'is unknown': ['tea', /there is no generation tea/, []],
    'is of another release': [strange.name, /of another release, which alone can serve it/, []],
    'is far behind': [
      second.name,
      /_2 is behind: it is at 4, and the log ends at 9; build it first/,
      [{ placeOf: () => Promise.resolve({ position: 4n, isFar: true }) }],
    ],
    'another process has open': [
      second.name,
      /in use by process 7/,
      [{ open: () => Promise.reject(new GenerationInUse(second.name, 'process 7')) }],
    ],
    'has stopped': [
      second.name,
      /the read model messages of 0123456789ab_2 has stopped: it is at 5, and cannot take the event after it/,
      [
        {},
        {
          reached: () => Promise.reject(new Error('it has stopped')),
          status: () => Promise.resolve([{ ...status, stopped: new Error('a bad event') }]),
        },
      ],
    ],
  };
  for (const [which, [name, message, stage]] of Object.entries(refusals)) {
    it(`refuse one that ${which}, and go on as they are`, async () => {
      const { live, chosen, names } = setting(...stage);
      await assert.rejects(live.switchTo(name, calling()), refused(message));
      assert.deepEqual([names(), chosen], [[first.name], []]);
    });
  }

  it('choose the former one again when the other one does not come level', async () => {
    let tries = 0;
    const switchTo = (): Promise<void> => {
      tries += 1;
      return Promise.reject(new NotLevel());
    };
    const { live, chosen, switched, names } = setting({ switchable: { switchTo } });
    await assert.rejects(
      live.switchTo(second.name, calling()),
      refused(/cannot serve yet: they did not come to the end/),
    );
    assert.deepEqual(
      chosen.map(([name]) => name),
      [second.name, first.name],
    );
    assert.deepEqual([names()[0], switched], [first.name, []]);
    assert.ok(tries > 1);
  });

  it('close one again that the operator has stopped to wait for', async () => {
    const stopping = new AbortController();
    const { live, closed, names } = setting({}, { reached: () => new Promise(() => undefined) });
    const switching = live.switchTo(second.name, { signal: stopping.signal });
    stopping.abort();
    await assert.rejects(switching, refused(/^stopped$/));
    assert.deepEqual([names(), closed], [[first.name], [second.name]]);
  });
});
