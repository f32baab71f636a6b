import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryVault } from '../../../../src/adapters/vault/memory.js';
import { accounts } from '../../../../src/domain/accounts/decide.js';
import { claimMillisMax, uniqueNames } from '../../../../src/gateway/access/uniqueNames.js';
import type { OpenCall } from '../../../../src/gateway/contract/call.js';
import { verified } from '../../../../src/gateway/packages/auth/credentials.js';
import { passwordName } from '../../../../src/gateway/packages/auth/passwordName.js';
import { signInGuard } from '../../../../src/gateway/requests/signInGuard.js';
import { isRejection } from '../../../../src/kernel/decider.js';
import { beforeAll } from '../../../../src/kernel/event.js';
import type { SessionId, UserId } from '../../../../src/kernel/ids.js';
import { HasherBusy, type PasswordHasher } from '../../../../src/kernel/ports/system.js';
import { quickHasher } from '../../../support/quickHasher.js';
import { kernelInMemory } from '../../../support/house/kernel.js';

const ada = 1n as UserId;
const ben = 2n as UserId;
const device = { clientId: 0, deviceType: '', deviceVersion: '', appVersion: '' };
const [composed, decomposed] = ['caf\u00e9 noir', 'cafe\u0301 noir'];

const opened = async () => {
  const { execute, streams, sealer, ids, log, clock, now } = await kernelInMemory();
  const names = uniqueNames({ streams, sealer });
  const vault = memoryVault();
  const runs: string[] = [];
  const hashing = { before: (): unknown => undefined };
  const hasher: PasswordHasher = {
    hash: async (password) => {
      await hashing.before();
      runs.push(`hash ${password}`);
      return quickHasher.hash(password);
    },
    verify: (password, hash) => {
      runs.push(`verify ${password}`);
      return quickHasher.verify(password, hash);
    },
  };
  const report = { noted: () => undefined, close: () => undefined };
  const guard = signInGuard({ hasher, sealer, report });
  const call = () =>
    // Nothing else of a call is asked for here.
    ({
      now: now(),
      address: '192.0.2.7',
      run: (decider, command) => execute(decider, command, { commandId: ids.commandId(), correlationId: 'test' }),
    }) as Pick<OpenCall, 'now' | 'address' | 'run'> as OpenCall;

  return {
    runs,
    vault,
    hashing,
    /** As a release up to 0.1 wrote it: the address in its form of then, the password hashed as it was typed. */
    formerAccount: async (user: UserId, form: string, password: string) => {
      const name = names.nameOf('email', form);
      await names.claim(call(), name, user);
      await vault.put(passwordName(user), await quickHasher.hash(password));
      const data = { user, session: user as bigint as SessionId, tokenHash: '', device, today: 0, hasPassword: true };
      const email = { address: form, key: name.key };
      await call().run(accounts, { type: 'RegisterAccount', data: { ...data, email } }, { actor: user });
    },
    signIn: async (email: string, password: string) => {
      runs.length = 0;
      const holder = await verified({ names, vault, streams, guard }, call(), { email, password });
      return isRejection(holder) ? undefined : holder.user;
    },
    claim: (form: string, user: UserId) => names.claim(call(), names.nameOf('email', form), user),
    pass: (millis: number) => (clock.at += millis),
    events: async () => (await log.readAll({ from: beforeAll, limit: 1_000 })).map(({ type }) => type),
  };
};

describe('a password', () => {
  it('is compared once for most, also when the address is nobody’s', async () => {
    const { formerAccount, signIn, runs } = await opened();
    await formerAccount(ada, 'ada@example.org', 'correct horse');
    assert.equal(await signIn('Ada@example.org', 'correct horse'), ada);
    assert.deepEqual(runs, ['verify correct horse']);
    assert.equal(await signIn('ada@example.org', 'wrong horse'), undefined);
    assert.deepEqual(runs, ['verify wrong horse']);
    assert.equal(await signIn('nobody@example.org', 'wrong horse'), undefined);
    assert.deepEqual(runs, ['hash wrong horse']);
  });
  it('is compared as prepared and as typed where they differ, also when the address is nobody’s', async () => {
    const { formerAccount, signIn, runs } = await opened();
    await formerAccount(ada, 'ada@example.org', 'correct horse');
    assert.equal(await signIn('ada@example.org', decomposed), undefined);
    assert.deepEqual(runs, [`verify ${composed}`, `verify ${decomposed}`]);
    assert.equal(await signIn('nobody@example.org', decomposed), undefined);
    assert.deepEqual(runs, [`hash ${composed}`, `hash ${decomposed}`]);
  });
  it('that was hashed as typed is accepted, and from then on in every spelling', async () => {
    const { formerAccount, signIn, runs } = await opened();
    await formerAccount(ada, 'ada@example.org', decomposed);
    assert.equal(await signIn('ada@example.org', composed), undefined);
    assert.equal(await signIn('ada@example.org', decomposed), ada);
    assert.deepEqual(runs, [`verify ${composed}`, `verify ${decomposed}`, `hash ${composed}`]);
    assert.equal(await signIn('ada@example.org', composed), ada);
    assert.equal(await signIn('ada@example.org', decomposed), ada);
    assert.deepEqual(runs, [`verify ${composed}`]);
  });
  it('is not moved when too many are being hashed, and is accepted all the same', async () => {
    const { formerAccount, signIn, hashing } = await opened();
    await formerAccount(ada, 'ada@example.org', decomposed);
    hashing.before = () => Promise.reject(new HasherBusy(1));
    assert.equal(await signIn('ada@example.org', decomposed), ada);
    assert.equal(await signIn('ada@example.org', composed), undefined);
  });
  it('is not moved over one that was set at the same moment', async () => {
    const { formerAccount, signIn, hashing, vault } = await opened();
    await formerAccount(ada, 'ada@example.org', decomposed);
    hashing.before = async () => vault.put(passwordName(ada), await quickHasher.hash('a new one'));
    assert.equal(await signIn('ada@example.org', decomposed), undefined);
    assert.equal(await signIn('ada@example.org', 'a new one'), ada);
    assert.equal(await signIn('ada@example.org', composed), undefined);
  });
  it('is accepted also when another sign-in moves it at the same moment', async () => {
    const { formerAccount, signIn, hashing, vault } = await opened();
    await formerAccount(ada, 'ada@example.org', decomposed);
    hashing.before = async () => vault.put(passwordName(ada), await quickHasher.hash(composed));
    assert.equal(await signIn('ada@example.org', decomposed), ada);
  });
  it('that is longer than any can be is not hashed', async () => {
    const { signIn, runs } = await opened();
    assert.equal(await signIn('nobody@example.org', 'x'.repeat(1025)), undefined);
    assert.deepEqual(runs, []);
    await signIn('nobody@example.org', 'e\u0301'.repeat(1024));
    assert.deepEqual(runs, [`hash ${'\u00e9'.repeat(1024)}`]);
  });
});

describe('an address of a former release', () => {
  const [own, ascii] = ['ada@b\u00fccher.example', 'ada@xn--bcher-kva.example'];

  it('is found under its former form, and claims its canonical one for good, once', async () => {
    const { formerAccount, signIn, claim, pass, events } = await opened();
    await formerAccount(ada, own, 'correct horse');
    assert.equal(await signIn('Ada@B\u00dcCHER.example', 'correct horse'), ada);
    assert.deepEqual((await events()).slice(-2), ['reservations.NameClaimed.v1', 'accounts.EmailKeyAdded.v1']);
    const before = (await events()).length;
    assert.equal(await signIn(ascii, 'correct horse'), ada);
    assert.equal(await signIn(own, 'correct horse'), ada);
    assert.equal((await events()).length, before);
    pass(claimMillisMax);
    for (const form of [own, ascii]) assert.equal((await claim(form, ben))?.rejected, 'EMAIL_TAKEN');
  });
  it('leads to each of two accounts that have two spellings of it', async () => {
    const { formerAccount, signIn } = await opened();
    await formerAccount(ada, own, 'correct horse');
    await formerAccount(ben, ascii, 'battery staple');
    for (const spelling of [own, ascii, 'Ada@bu\u0308cher.example']) {
      assert.equal(await signIn(spelling, 'correct horse'), ada);
      assert.equal(await signIn(spelling, 'battery staple'), ben);
      assert.equal(await signIn(spelling, 'wrong horse'), undefined);
    }
  });
  it('that is none any more still leads to its account', async () => {
    const { formerAccount, signIn } = await opened();
    await formerAccount(ada, 'a..b@example.org', 'correct horse');
    assert.equal(await signIn('A..B@example.org', 'correct horse'), ada);
  });
  it('claims nothing with a wrong password', async () => {
    const { formerAccount, signIn, events } = await opened();
    await formerAccount(ada, own, 'correct horse');
    const before = await events();
    assert.equal(await signIn(own, 'wrong horse'), undefined);
    assert.deepEqual(await events(), before);
  });
});
