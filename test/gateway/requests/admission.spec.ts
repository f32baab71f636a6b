import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { refusalsMax, refusalsMillis, type AskedName, type Asker } from '../../../src/gateway/requests/accounts.js';
import type { AdmissionVerdict } from '../../../src/gateway/requests/admission.js';
import { budgetTable, welcomeUnits } from '../../../src/gateway/requests/budgets.js';
import { costs } from '../../../src/gateway/contract/meter.js';
import { rpcPolicy } from '../../../src/gateway/contract/rpcPolicy.js';
import type { RpcName } from '../../../src/gen/rpcs.js';
import { gate, handshake, isRefused, signedIn, signedInBot, stranger, waitOf } from './gate.js';

/** Asks for these one after the other, as a connection does that is not read while it waits. */
const inTurn = (
  { clock, admit }: ReturnType<typeof gate>,
  asker: Asker,
  names: Iterable<AskedName>,
): AdmissionVerdict[] => {
  const verdicts: AdmissionVerdict[] = [];
  for (const name of names) {
    const verdict = admit(asker, name);
    if (verdict.kind === 'admitted') {
      clock.at += verdict.afterMillis;
      verdict.end();
    }
    verdicts.push(verdict);
  }
  return verdicts;
};

const send = 'messagesSendMessage';

describe('a request', () => {
  it('begins at once within the budgets, and waits where it will be within them in a second', () => {
    const { admit } = gate();
    const asker = signedIn(1);
    const waits = Array.from({ length: 70 }, () => waitOf(admit(asker, 'messagesSendMessage')));
    assert.deepEqual(new Set(waits.slice(0, 60)), new Set([0]));
    assert.deepEqual(waits.slice(60), [100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000]);
  });

  it('of a bot has a limit of its own, over all its connections, so that two bots do not echo each other for ever', () => {
    const { admit, limited } = gate();
    const [one, another] = [signedInBot(1), signedInBot(1)];
    const { burst, perSecond } = budgetTable.botMessages;
    const sends = Array.from({ length: burst + perSecond }, (_, sent) => admit(sent % 2 === 0 ? one : another, send));
    assert.ok(sends.every(({ kind }) => kind === 'admitted'));
    assert.ok(isRefused(admit(one, send)) && isRefused(admit(another, send)));
    assert.equal(limited.at(-1)?.limit, 'botMessages');
    assert.equal(waitOf(admit(signedIn(2), send)), 0);
  });

  it('that would wait longer is refused with the seconds, and the connection is not read for so long', () => {
    const { admit, limited } = gate();
    const asker = signedIn(1);
    for (let sent = 0; sent < 70; sent += 1) admit(asker, 'messagesSendMessage');
    const verdict = admit(asker, 'messagesSendMessage');
    assert.deepEqual(verdict, {
      kind: 'refused',
      rejection: { rejected: 'RATE_LIMITED', retryAfterSeconds: 1.1 },
      pauseMillis: 1_100,
      closes: false,
    });
    assert.deepEqual(limited.map(({ limit, rpc, how }) => `${limit} ${rpc} ${how}`).slice(-2), [
      'messages messagesSendMessage waited',
      'messages messagesSendMessage refused',
    ]);
  });

  it('pays for what it did once that is known, so that the next one waits', () => {
    const { admit } = gate();
    const asker = signedIn(1);
    const first = admit(asker, 'messagesGetHistory');
    assert.ok(first.kind === 'admitted');
    first.meter.spend(budgetTable.connection.burst + budgetTable.connection.perSecond * 3);
    first.end();
    const next = admit(asker, 'messagesGetHistory');
    assert.ok(next.kind === 'refused' && Math.floor(next.rejection.retryAfterSeconds ?? 0) === 3);
  });

  it('that did as much as many of its kind counts as so many', () => {
    const { admit } = gate();
    const asker = signedIn(1);
    const first = admit(asker, 'messagesForwardMessage');
    assert.ok(first.kind === 'admitted');
    first.meter.alsoCounts?.(99);
    const next = admit(asker, 'messagesSendMessage');
    assert.ok(next.kind === 'refused');
    const { burst, perSecond } = budgetTable.messages;
    assert.equal(next.rejection.retryAfterSeconds, (101 - burst) / perSecond);
    assert.equal(waitOf(admit(asker, 'chatsSetTyping')), 0);
  });

  it('to look usernames up is limited for each user, over all sessions', () => {
    const { admit, limited } = gate();
    const [one, another] = [signedIn(1), signedIn(1)];
    const { burst, perSecond } = budgetTable.lookups;
    const lookups = Array.from({ length: burst + perSecond }, (_, at) =>
      admit(at % 2 === 0 ? one : another, 'usersLookupUsername'),
    );
    assert.ok(lookups.every(({ kind }) => kind === 'admitted'));
    assert.ok(isRefused(admit(one, 'usersLookupUsername')) && isRefused(admit(another, 'usersLookupUsername')));
    assert.equal(limited.at(-1)?.limit, 'lookups');
    assert.equal(waitOf(admit(signedIn(2), 'usersLookupUsername')), 0);
  });

  it('to report is limited on all nodes together', () => {
    const taken: string[] = [];
    const take = ({ name }: { readonly name: string }) => {
      taken.push(name);
      return { allowed: false, retryAfterSeconds: 30 };
    };
    const { admit } = gate({ take });
    const verdict = admit(signedIn(1), 'messagesReportMessage');
    assert.ok(isRefused(verdict));
    assert.deepEqual(taken, ['reports']);
  });

  it('that has many recipients is paid for by the user who made it', () => {
    const { admit, delivered } = gate();
    const asker = signedIn(1);
    admit(asker, 'communitiesEditChannel');
    const deliveries = ((budgetTable.user.burst + budgetTable.user.perSecond * 2) * 100) / costs.hundredDeliveries;
    delivered('1', deliveries);
    assert.ok(isRefused(admit(asker, 'communitiesEditChannel')));
    assert.equal(waitOf(admit(signedIn(2), 'communitiesEditChannel')), 0);
  });

  it('that a shared limit refuses costs what the cheapest does', () => {
    const { admit, limited } = gate({ take: () => ({ allowed: false, retryAfterSeconds: 30 }) });
    const asker = signedIn(1);
    const { burst, perSecond } = budgetTable.session;
    for (let asked = 0; asked < 2 * burst; asked += 1) admit(asker, 'communitiesCreateCommunity', 0);
    const refused = limited.filter(({ limit }) => limit === 'creation').length;
    // The last ones would have waited for a second, and two units have to be there for a request of this kind.
    assert.equal(refused, burst + perSecond - 1);
  });

  it('that a shared limit refuses leaves the connection open for others', () => {
    const { admit } = gate({ take: () => ({ allowed: false, retryAfterSeconds: 30 }) });
    const asker = signedIn(1);
    const verdict = admit(asker, 'communitiesCreateCommunity');
    assert.deepEqual(verdict, {
      kind: 'refused',
      rejection: { rejected: 'RATE_LIMITED', retryAfterSeconds: 30 },
      pauseMillis: 0,
      closes: false,
    });
    assert.equal(waitOf(admit(asker, 'messagesSendMessage')), 0);
  });

  it('counts for its session at the shared limits, and for its address only without one and beyond its welcome', () => {
    const keys: string[] = [];
    const { admit } = gate({
      take: ({ name }, of) => {
        keys.push(`${name} ${of}`);
        return { allowed: true };
      },
    });
    const beyondWelcome = stranger();
    for (let units = 0; units < welcomeUnits; units += 1) admit(beyondWelcome, 'unknown');
    for (const asker of [stranger(), beyondWelcome, signedIn(1)]) for (const name of handshake) admit(asker, name);
    admit(signedIn(1), 'settingsChangePassword');
    admit(stranger(), 'authLegacySignIn');
    admit(stranger(), 'authSignUp');
    // Tries of passwords are counted by `SignInGuard`, which knows the account.
    const [unknown, known] = ['handshake 192.0.2.7', 'handshake 1'];
    assert.deepEqual(keys, [unknown, unknown, known, known]);
  });
});

describe('long reads of a user', () => {
  it('go one at a time, over all connections, and nobody else waits for them', async () => {
    const { admit } = gate();
    const verdicts = Array.from({ length: 64 }, () => admit(signedIn(1, 11), 'communitiesGetChannels'));
    assert.deepEqual(
      verdicts.map(({ kind }) => kind),
      ['admitted', ...Array<string>(63).fill('busy')],
    );
    assert.equal(admit(signedIn(1, 12), 'messagesGetHistory').kind, 'busy');
    assert.equal(admit(signedIn(1, 12), 'messagesSendMessage').kind, 'admitted');
    assert.equal(admit(signedIn(2), 'messagesGetHistory').kind, 'admitted');
    const [first, second] = verdicts;
    assert.ok(first?.kind === 'admitted' && second?.kind === 'busy');
    first.end();
    await second.until;
    assert.equal(admit(signedIn(1, 12), 'messagesGetHistory').kind, 'admitted');
  });

  it('let each connection that waits have its turn, however many another one has asked for', async () => {
    const { admit } = gate();
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const reader = (device: string, session: number, pages: number): void => {
      const asker = signedIn(1, session);
      // As on a connection: the next one is asked for as soon as the one before has begun.
      const ask = (left: number): void => {
        const verdict = admit(asker, 'messagesGetHistory');
        if (verdict.kind === 'busy') void verdict.until.then(() => ask(left));
        if (verdict.kind !== 'admitted') return;
        begun.push(device);
        ends.push(verdict.end);
        if (left > 1) ask(left - 1);
      };
      ask(pages);
    };
    reader('phone', 11, 5);
    reader('laptop', 12, 2);
    for (let end = ends.shift(); end !== undefined; end = ends.shift()) {
      end();
      await turn();
    }
    assert.deepEqual(begun, ['phone', 'phone', 'laptop', 'phone', 'laptop', 'phone', 'phone']);
  });
});

describe('one who spends everything', () => {
  it('leaves another user of the same server as they were', () => {
    const all = gate();
    const attacker = signedIn(1);
    while (!isRefused(all.admit(attacker, 'usersGetProfile')));
    assert.equal(waitOf(all.admit(signedIn(2), 'usersGetProfile')), 0);
  });

  it('has no more from many sessions than the user has', () => {
    const { admit } = gate();
    let units = 0;
    for (let session = 1; session <= 100; session += 1) {
      const asker = signedIn(1, session);
      while (waitOf(admit(asker, 'usersGetProfile', 0)) === 0) units += 2;
    }
    assert.ok(units <= budgetTable.user.burst, units.toString());
  });

  it('has no more from many connections without a session than the address has, and the welcome of each', () => {
    const { admit, clock } = gate();
    const connections = Array.from({ length: 1_000 }, () => stranger());
    const [seconds, names] = [60, ['malformed', 'unknown', 'chatsGetChats'] as const];
    let answered = 0;
    for (let second = 0; second < seconds; second += 1) {
      for (const asker of connections) {
        for (let tries = 0; tries < 100; tries += 1) {
          if (waitOf(admit(asker, names[tries % 3] ?? 'unknown', 0)) > 0) break;
          answered += 1;
        }
      }
      clock.at += 1_000;
    }
    const { burst, perSecond } = budgetTable.address;
    assert.ok(answered <= burst + perSecond * seconds + welcomeUnits * connections.length, answered.toString());
  });

  it('has no more from 64 requests of a kind at once, whatever the kind, over ten connections', () => {
    const { admit, clock } = gate();
    const connections = Array.from({ length: 10 }, () => signedIn(1));
    const needSession = (Object.keys(rpcPolicy) as RpcName[]).filter((name) => rpcPolicy[name].session === 'required');
    const [seconds, unitsOfEach] = [120, 50];
    let units = 0;
    for (let second = 0; second < seconds; second += 1) {
      const name = needSession[second % needSession.length] ?? 'chatsGetChats';
      const begun = connections.flatMap((asker) => Array.from({ length: 64 }, () => admit(asker, name, 0)));
      for (const verdict of begun) {
        if (verdict.kind !== 'admitted' || verdict.afterMillis > 0) continue;
        units += rpcPolicy[name].units + unitsOfEach;
        verdict.meter.spend(unitsOfEach);
        verdict.end();
      }
      clock.at += 1_000;
    }
    const { burst, perSecond } = budgetTable.user;
    // What is under way is paid for when it is done, so one round of it may come on top.
    const underWay = connections.length * 64 * unitsOfEach;
    assert.ok(units <= burst + perSecond * seconds + underWay, units.toString());
    assert.ok(units >= burst, units.toString());
  });

  it('does not keep others behind the same address from coming in', () => {
    const all = gate();
    for (let flood = 0; flood < 100; flood += 1) {
      const asker = stranger();
      while (!isRefused(all.admit(asker, 'unknown')));
    }
    const newcomer = stranger();
    for (const name of ['coreInitialize', ...handshake] as const) assert.equal(waitOf(all.admit(newcomer, name)), 0);
    assert.equal(waitOf(all.admit(signedIn(2), 'messagesSendMessage')), 0);
  });
});

describe('somebody who mistypes their password behind an address that is spent', () => {
  it('may try again on the same connection', () => {
    const all = gate();
    for (let neighbours = 0; neighbours < 100; neighbours += 1) {
      const neighbour = stranger();
      while (!isRefused(all.admit(neighbour, 'unknown')));
    }
    const asker = stranger();
    for (const name of ['coreInitialize', 'authLegacySignIn', 'authLegacySignIn', 'authLegacySignIn'] as const)
      assert.equal(waitOf(all.admit(asker, name, 100)), 0);
  });
});

describe('a client that is refused', () => {
  it(`more than ${refusalsMax.toString()} times in a minute is closed, and not one that comes slowly`, () => {
    const fast = gate({ take: () => ({ allowed: false, retryAfterSeconds: 30 }) });
    const verdicts = inTurn(fast, signedIn(1), Array<AskedName>(refusalsMax + 1).fill('communitiesCreateCommunity'));
    const closes = verdicts.map((verdict) => verdict.kind === 'refused' && verdict.closes);
    assert.deepEqual(closes, [...Array<boolean>(refusalsMax).fill(false), true]);
    const slow = gate({ take: () => ({ allowed: false, retryAfterSeconds: 30 }) });
    for (let tries = 0; tries < 1_000; tries += 1) {
      const verdict = slow.admit(signedIn(1), 'communitiesCreateCommunity');
      assert.ok(verdict.kind === 'refused' && !verdict.closes);
      slow.clock.at += 1_000;
    }
  });

  it('is so as well by what a request came to, as a user over all connections, or as a connection without a session', () => {
    const { refusedLater, clock } = gate();
    const counted = Array.from({ length: refusalsMax + 1 }, (_, index) => refusedLater(signedIn(1, index)));
    assert.deepEqual(counted, [...Array<boolean>(refusalsMax).fill(false), true]);
    const asker = stranger();
    for (let tries = 0; tries < refusalsMax; tries += 1) assert.equal(refusedLater(asker), false);
    assert.deepEqual([refusedLater(stranger()), refusedLater(asker), refusedLater(signedIn(2))], [false, true, false]);
    clock.at += refusalsMillis;
    assert.equal(refusedLater(asker), false);
  });

  it('is not closed for the form of what it sends, however long it goes on', () => {
    const all = gate();
    const asker = stranger();
    for (let sent = 0; sent < 10_000; sent += 1) {
      assert.equal(waitOf(all.admit(asker, 'malformed', 1_000)), 0);
      all.clock.at += 1_000;
    }
    assert.deepEqual(all.limited, []);
  });
});
