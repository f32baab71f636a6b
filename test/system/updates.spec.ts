import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { onEachDeployment, type Deployment } from '../support/deployments.js';
import { mapped, type Heard } from './audiences.js';
import { channels, comingAndGoing, roles } from './steps/communities.js';
import { messages, silence, typing } from './steps/messages.js';
import { endings, presence } from './steps/people.js';
import { world, type CastName, type World } from './townsfolk.js';

const nobody: Heard<CastName> = {
  alice: [],
  alice2: [],
  bob: [],
  deafBob: [],
  carl: [],
  dan: [],
  eve: [],
  sue: [],
};

/** What is no event has no place among the events. */
const sorted = (heard: Heard<CastName>): Heard<CastName> => mapped(heard, (lines) => lines.toSorted());

/** Steps of one history: each begins where the one before ended. */
onEachDeployment('what happens is told to everybody whom it concerns, and to nobody else', (start) => {
  let server: Deployment;
  let w: World;
  before(async () => {
    server = await start();
    w = await world(server);
    await w.listeners.hears(() => Promise.resolve());
  });
  after(() => server.remove());

  const steps = [...silence, ...messages, ...typing, ...comingAndGoing, ...roles, ...channels, ...presence, ...endings];
  for (const { title, given, when, hears, ephemeral, otherwiseOnNodes } of steps) {
    it(title, async (t) => {
      if (given !== undefined) await w.listeners.hears(() => given(w));
      if (otherwiseOnNodes !== undefined && server.urls.length > 1) {
        // What comes after it needs it to have happened.
        await w.listeners.hears(() => when(w));
        t.skip(otherwiseOnNodes);
        return;
      }
      const expected = { ...nobody, ...hears };
      if (ephemeral === undefined) assert.deepEqual(await w.listeners.hears(() => when(w)), expected);
      else assert.deepEqual(sorted(await w.listeners.hearsSoon(() => when(w), expected)), sorted(expected));
    });
  }
});
