import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { presenceSeal } from '../../src/adapters/sealer/presenceSeal.js';
import { memoryVault } from '../../src/adapters/vault/memory.js';
import { keyLifeSeconds } from '../../src/adapters/sealer/vaultKeys.js';
import { KeyDestroyed } from '../../src/kernel/ports/sealer.js';
import { packed } from '../../src/adapters/sealer/sealedText.js';
import { authorKeyName, scopeKeyName } from '../../src/adapters/sealer/keyNames.js';
import { vaultSealer, type VaultSealer } from '../../src/adapters/sealer/vault.js';
import { isShredded } from '../../src/kernel/opened.js';
import { KeysMissing, SealBroken, type SealBinding } from '../../src/kernel/ports/sealer.js';
import type { Vault } from '../../src/kernel/ports/vault.js';

const period = '202601';
const binding: SealBinding = {
  subject: '42',
  scope: 'channel.11.12',
  associated: 'message-7\n0b1c2d3e-1111-5222-8333-444455556666\nmessages.MessageSent.v1',
};
const names = [authorKeyName('42', period), scopeKeyName('channel.11.12')];
const plain = new TextEncoder().encode('{"text":"hello"}');

/** Bytes that count up: what they seal is always the same. */
const countingRandom = () => {
  let next = 0;
  return { bytes: (length: number) => Uint8Array.from({ length }, () => next++ & 0xff) };
};

type Bench = { readonly sealer: VaultSealer; readonly vault: Vault; readonly pass: (seconds: number) => void };

const bench = async (vault: Vault = memoryVault()): Promise<Bench> => {
  let now = 1_767_225_600_000;
  const timers = { now: () => now };
  const sealer = await vaultSealer({ vault, timers, random: countingRandom() });
  return {
    sealer,
    vault,
    pass: (seconds) => {
      now += seconds * 1_000;
    },
  };
};

const sealed = async (sealer: VaultSealer, bound = binding): Promise<string> => {
  const first = sealer.seal(plain, bound, period);
  if (typeof first === 'string') return first;
  await sealer.makeKeys(first.names);
  const text = sealer.seal(plain, bound, period);
  assert.ok(typeof text === 'string');
  return text;
};

const assertOpens = (sealer: VaultSealer, text: string, bound = binding): void => {
  const opened = sealer.open(packed(text), bound);
  assert.ok(opened instanceof Uint8Array);
  assert.deepEqual([...opened], [...plain]);
};

it('opens what it sealed, and asks for the keys that it does not hold', async () => {
  const { sealer } = await bench();
  const missing = sealer.seal(plain, binding, period);
  assert.ok(missing instanceof KeysMissing);
  assert.deepEqual(missing.names, names);
  assertOpens(sealer, await sealed(sealer));
});

it('opens on another node, with the keys of the vault', async () => {
  const { sealer, vault } = await bench();
  const text = await sealed(sealer);
  const other = (await bench(vault)).sealer;
  const missing = other.open(packed(text), binding);
  assert.ok(missing instanceof KeysMissing);
  await other.loadKeys(missing.names);
  assertOpens(other, text);
});

it('opens what another node writes into a chat right after a search there, when the chat had no key', async () => {
  const { sealer, vault } = await bench();
  const other = (await bench(vault)).sealer;
  const { scope } = binding;
  const missing = other.hasherOf(scope);
  assert.ok(missing instanceof KeysMissing);
  await other.loadKeys(missing.names);
  assert.ok(isShredded(other.hasherOf(scope)));
  const text = await sealed(sealer);
  await other.loadKeys(names);
  assertOpens(other, text);
});

it('opens what was sealed with the first version of the form, for ever', async () => {
  const vault = memoryVault();
  await vault.create('author.42.202601', new Uint8Array(32).fill(1));
  await vault.create('scope.channel.11.12', new Uint8Array(32).fill(2));
  const { sealer } = await bench(vault);
  await sealer.loadKeys(names);
  assertOpens(sealer, golden.owned);
  const nobodys: SealBinding = { scope: binding.scope, associated: binding.associated };
  assertOpens(sealer, golden.nobodys, nobodys);
  // Nonces count up from 32, after the key of the lookup hash: so what is sealed is known to the byte as well.
  assert.equal(sealer.seal(plain, binding, period), golden.owned);
  assert.equal(sealer.seal(plain, nobodys, period), golden.nobodys);
});

const golden = {
  owned: '1.202601.ICEiIyQlJicoKSor0tRZnCNcjbTiJgxu9o-qTJUiGnYhYpasolKpZim3BA8',
  nobodys: '1.-.LC0uLzAxMjM0NTY3FVdTzGZE-LSgizPOgBC80-AnCYfjjLGEl0BcDHpg9mg',
};

it('opens nothing in another place: the associated data binds', async () => {
  const { sealer } = await bench();
  const text = await sealed(sealer);
  const elsewhere: readonly SealBinding[] = [
    { ...binding, associated: binding.associated.replace('message-7', 'message-8') },
    { ...binding, associated: binding.associated.replace('0b1c', '0b1d') },
    { ...binding, associated: binding.associated.replace('Sent', 'Edited') },
    { ...binding, subject: '43' },
    { ...binding, scope: 'channel.11.13' },
    { ...binding, subject: '43', scope: 'channel.11.13' },
    { scope: binding.scope, associated: binding.associated },
  ];
  for (const bound of elsewhere) {
    await sealed(sealer, bound);
    assert.throws(() => sealer.open(packed(text), bound), SealBroken);
  }
  assertOpens(sealer, text);
});

it('opens nothing that was altered in any character', async () => {
  const { sealer } = await bench();
  const text = await sealed(sealer);
  await sealer.makeKeys([authorKeyName('42', '202602')]);
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ';
  for (let at = 0; at < text.length; at += 1) {
    for (const character of characters) {
      if (character === text[at]) continue;
      const altered = text.slice(0, at) + character + text.slice(at + 1);
      assert.throws(() => opening(sealer, altered), SealBroken, altered);
    }
  }
});

/** A period that never was has no key to be found: then there is nothing to open either. */
const opening = (sealer: VaultSealer, text: string): void => {
  const opened = sealer.open(packed(text), binding);
  if (opened instanceof KeysMissing) throw new SealBroken(binding.associated);
};

it('opens nothing of what is cut short, added to, or was never sealed', async () => {
  const { sealer } = await bench();
  const text = await sealed(sealer);
  for (let length = 0; length < text.length; length += 1) {
    assert.throws(() => sealer.open(packed(text.slice(0, length)), binding), SealBroken);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (foreign) => {
      assert.throws(() => sealer.open(packed(foreign), binding), SealBroken);
      if (foreign !== '') assert.throws(() => sealer.open(packed(text + foreign), binding), SealBroken);
    }),
  );
});

it('never seals two values to the same text', async () => {
  const { sealer } = await bench();
  assert.notEqual(await sealed(sealer), await sealed(sealer));
});

for (const [whose, name] of [
  ['the author', names[0] ?? ''],
  ['the scope', names[1] ?? ''],
] as const) {
  it(`is shredded once the key of ${whose} is destroyed, and nothing new is sealed`, async () => {
    const { sealer, vault } = await bench();
    const text = await sealed(sealer);
    await vault.destroy(name);
    sealer.forget([name]);
    await sealer.loadKeys(names);
    assert.ok(isShredded(sealer.open(packed(text), binding)));
    await assert.rejects(sealer.makeKeys(names), KeyDestroyed);
    assert.throws(() => sealer.seal(plain, binding, period), KeyDestroyed);
  });
}

it('leaves what others wrote, and what was written in other months, readable', async () => {
  const { sealer, vault } = await bench();
  const others = await sealed(sealer, { ...binding, subject: '43' });
  await sealer.makeKeys([authorKeyName('42', '202602')]);
  await sealed(sealer);
  const later = sealer.seal(plain, binding, '202602');
  assert.ok(typeof later === 'string');
  await vault.destroy(authorKeyName('42', period));
  sealer.forget([authorKeyName('42', period)]);
  await sealer.loadKeys([authorKeyName('42', '202602')]);
  assertOpens(sealer, others, { ...binding, subject: '43' });
  assertOpens(sealer, later);
});

it('uses a key that was destroyed elsewhere only for a short time', async () => {
  const { sealer, vault, pass } = await bench();
  const text = await sealed(sealer);
  await vault.destroy(names[0] ?? '');
  pass(keyLifeSeconds + 1);
  const missing = sealer.open(packed(text), binding);
  assert.ok(missing instanceof KeysMissing);
  await sealer.loadKeys(missing.names);
  assert.ok(isShredded(sealer.open(packed(text), binding)));
});

it('counts a key that never was as destroyed when it opens, and makes it when it seals', async () => {
  const { sealer } = await bench();
  const text = await sealed(sealer);
  const lost = (await bench()).sealer;
  await lost.loadKeys(names);
  assert.ok(isShredded(lost.open(packed(text), binding)));
  assert.ok(lost.seal(plain, binding, period) instanceof KeysMissing);
  await lost.makeKeys(names);
  assert.equal(typeof lost.seal(plain, binding, period), 'string');
});

it('asks the vault once for what many want at once', async () => {
  const inner = memoryVault();
  const asked: string[] = [];
  const vault: Vault = {
    ...inner,
    create: (name, secret) => {
      asked.push(name);
      return inner.create(name, secret);
    },
  };
  const { sealer } = await bench(vault);
  await Promise.all(Array.from({ length: 20 }, () => sealer.makeKeys(names)));
  assert.deepEqual(asked, ['lookup', ...names]);
});

it('does not keep a key that was destroyed while it was on its way', async () => {
  const inner = memoryVault();
  const first = await bench(inner);
  const text = await sealed(first.sealer);
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const slow: Vault = {
    ...inner,
    get: async (name) => {
      const answer = await inner.get(name);
      await held;
      return answer;
    },
  };
  const { sealer } = await bench(slow);
  const loading = sealer.loadKeys(names);
  await inner.destroy(names[0] ?? '');
  sealer.forget(names);
  release?.();
  await loading;
  assert.ok(isShredded(sealer.open(packed(text), binding)));
});

it('overwrites a key once it is held no longer: forgotten, too old, or not believed', async () => {
  const inner = memoryVault();
  const given: Uint8Array[] = [];
  const noted = <T>(answer: T): T => {
    if (answer instanceof Uint8Array) given.push(answer);
    return answer;
  };
  const vault: Vault = { ...inner, get: async (name) => noted(await inner.get(name)) };
  const { sealer: first } = await bench(inner);
  const text = await sealed(first);
  const { sealer, pass } = await bench(vault);
  const isWiped = () => given.map((key) => key.every((byte) => byte === 0));
  await sealer.loadKeys(names);
  assertOpens(sealer, text);
  assert.deepEqual(isWiped(), [false, false]);
  sealer.forget(names);
  assert.deepEqual(isWiped(), [true, true]);
  await sealer.loadKeys(names);
  pass(keyLifeSeconds + 1);
  await sealer.loadKeys(names);
  assert.deepEqual(isWiped(), [true, true, true, true, false, false]);
  assertOpens(sealer, text);
  sealer.forget(names);
  const loading = sealer.loadKeys(names);
  sealer.forget(names);
  await loading;
  assert.deepEqual(isWiped().slice(6), [true, true, false, false]);
  assertOpens(sealer, text);
});

it('overwrites a key that it made once the vault has it', async () => {
  const inner = memoryVault();
  const made: Uint8Array[] = [];
  const vault: Vault = {
    ...inner,
    create: (name, secret) => {
      made.push(secret);
      return inner.create(name, secret);
    },
  };
  const { sealer } = await bench(vault);
  assertOpens(sealer, await sealed(sealer));
  await presenceSeal(vault);
  assert.ok(made.length > 3);
  for (const key of made) assert.ok(key.every((byte) => byte === 0));
});

it('hashes for lookups with a key of the vault: the same on every node, another in every vault', async () => {
  const { sealer, vault } = await bench();
  const hash = sealer.lookupHash('someone@example.org');
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal((await bench(vault)).sealer.lookupHash('someone@example.org'), hash);
  assert.notEqual(sealer.lookupHash('someone@example.com'), hash);
  const other = memoryVault();
  await other.create('lookup', new Uint8Array(32).fill(9));
  assert.notEqual((await bench(other)).sealer.lookupHash('someone@example.org'), hash);
});

it('tells whether a value may still be shown, and calls those who listen when keys are dropped', async () => {
  const { sealer, vault } = await bench();
  const text = packed(await sealed(sealer));
  let dropped = 0;
  sealer.onForgotten(() => (dropped += 1));
  const until = sealer.heldUntil(text, binding);
  assert.ok(typeof until === 'number');
  assert.equal(until, 1_767_225_600_000 + keyLifeSeconds * 1_000);
  await vault.destroy(authorKeyName('42', period));
  sealer.forget(names);
  assert.equal(dropped, 1);
  assert.ok(sealer.heldUntil(text, binding) instanceof KeysMissing);
  await sealer.loadKeys(names);
  assert.ok(isShredded(sealer.heldUntil(text, binding)));
  assert.ok(isShredded(sealer.heldUntil(packed('never sealed'), binding)));
});
