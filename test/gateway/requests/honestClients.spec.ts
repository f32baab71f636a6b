import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { costs } from '../../../src/gateway/contract/meter.js';
import type { AskedName, Asker } from '../../../src/gateway/requests/accounts.js';
import { smoothMillisMax } from '../../../src/gateway/requests/admission.js';
import { gate, gateWithLimits, handshake, isRefused, signedIn, stranger, waitOf } from './gate.js';

const day = 86_400_000;
const address = '192.0.2.7';

describe('honest clients meet no limit', () => {
  /** Every such request, at an even pace; the work of each is as it was measured. */
  const working = (name: AskedName, units: number, { everyMillis, times }: { everyMillis: number; times: number }) => {
    const all = gate();
    const asker = signedIn(1);
    let longest = 0;
    for (let done = 0; done < times; done += 1) {
      const verdict = all.admit(asker, name, 200);
      assert.ok(verdict.kind === 'admitted', `${name} number ${done.toString()} was refused`);
      longest = Math.max(longest, verdict.afterMillis);
      verdict.meter.spend(units);
      verdict.end();
      all.clock.at += everyMillis;
    }
    return longest;
  };

  it('not a bot that sends 10 messages a second in 50 channels for a day, each to 200 people', () => {
    const units = costs.event + costs.hundredDeliveries * 2;
    assert.equal(working('messagesSendMessage', units, { everyMillis: 100, times: day / 100 }), 0);
  });

  it('not a person who scrolls through a long history, five pages a second for an hour', () => {
    // A page of 50 messages with their authors and reactions, 20 KiB to read and as much to answer.
    const units = costs.document * 110 + costs.kibibyteRead * 20 + costs.kibibyteAnswered * 20;
    assert.equal(working('messagesGetHistory', units, { everyMillis: 200, times: 18_000 }), 0);
  });

  it('not a client that comes back and asks for all that it shows', () => {
    const all = gate();
    const asker = signedIn(1);
    // 2,000 channels are counted for the list of communities, and 40 communities of 50 channels are opened at once.
    const reads = [2_000 * 7, ...Array<number>(40).fill(50 * 8)];
    for (const documents of reads) {
      const verdict = all.admit(asker, 'communitiesGetChannels');
      assert.ok(verdict.kind === 'admitted' && verdict.afterMillis <= smoothMillisMax);
      all.clock.at += verdict.afterMillis;
      verdict.meter.spend(costs.document * documents);
      verdict.end();
    }
  });

  it('not three hundred people behind one address who sign in by password within a minute', () => {
    const all = gate();
    for (let person = 0; person < 300; person += 1) {
      const asker = stranger();
      for (const name of ['coreInitialize', 'authLegacySignIn'] as const)
        assert.equal(waitOf(all.admit(asker, name)), 0);
    }
  });

  it('not three hundred people behind one address who come back by token and chat while one more attacks', () => {
    const all = gateWithLimits();
    const people = Array.from({ length: 300 }, (_, at) => newPerson(all, at + 1));
    const attacker = newAttacker(all);
    for (let tick = 0; tick < chatTicks; tick += 1) {
      attacker.strike();
      const [newcomer, ...others] = [people[tick], ...people.slice(0, tick)];
      newcomer?.comeBack();
      for (const [at, person] of others.entries()) if ((tick - at) % talkTicks === 0) person.talk();
      all.clock.at += tickMillis;
    }
    assert.ok(attacker.refused() > 1_000, attacker.refused().toString());
  });

  it('not a phone on a line that breaks every five seconds, for an hour', () => {
    const all = gateWithLimits();
    const phone = newPerson(all, 1);
    for (let lines = 0; lines < 720; lines += 1) {
      phone.comeBack();
      all.clock.at += 5_000;
    }
    assert.deepEqual(all.limited, []);
  });
});

/** A newcomer in each of the first 300 ticks, which is a minute, and ten minutes after that. */
const tickMillis = 200;
const chatTicks = 11 * 300;
/** Each talks every ten seconds. */
const talkTicks = 50;

type Gate = ReturnType<typeof gate>;

/** One who has an account, and neither waits nor is refused. */
const newPerson = ({ admit }: Gate, user: number) => {
  let connection: Asker = stranger(address);
  const ask = (name: AskedName, documents: number): void => {
    const verdict = admit(connection, name, 200);
    assert.ok(verdict.kind === 'admitted' && verdict.afterMillis === 0, `${name} of user ${user.toString()}`);
    verdict.meter.spend(costs.document * documents + costs.kibibyteAnswered * documents);
    verdict.end();
  };
  return {
    comeBack: (): void => {
      connection = stranger(address);
      for (const name of handshake) ask(name, 1);
      connection = { ...signedIn(user), account: connection.account };
      ask('communitiesGetCommunities', 200);
      ask('messagesGetHistory', 110);
    },
    talk: (): void => {
      ask('chatsSetTyping', 1);
      ask('messagesSendMessage', 20);
      ask('chatsMarkChatRead', 10);
      ask('messagesGetHistory', 110);
    },
  };
};

const strikes: readonly AskedName[] = [
  ...(['coreInitialize', 'authAuthorize', 'unknown', 'malformed', 'authLegacySignIn', 'authSignUp'] as const),
  ...(['authLookupInvite', 'chatsGetChats'] as const),
];

/** One who has an account as well, asks for everything with and without it, and connects anew where that helps. */
const newAttacker = ({ admit }: Gate) => {
  let refusals = 0;
  /** As often as the connection lets it without a wait, at most so often that the test ends. */
  const ask = (asker: Asker, name: AskedName): void => {
    for (let tries = 0; tries < 200; tries += 1) {
      const verdict = admit(asker, name, 1_000);
      refusals += Number(isRefused(verdict));
      if (waitOf(verdict) > 0) return;
      if (verdict.kind === 'admitted') verdict.end();
    }
  };
  return {
    strike: (): void => {
      for (const name of strikes) for (const asker of [stranger(address), stranger(address)]) ask(asker, name);
      for (const name of ['messagesGetHistory', 'messagesSendMessage'] as const) ask(signedIn(1_000), name);
    },
    refused: () => refusals,
  };
};
