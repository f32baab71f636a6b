import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import type { Vault } from '../../src/kernel/ports/vault.js';

export type VaultOptions = {
  /** Whether a vault that is closed and made again still has its secrets. */
  readonly keeps: boolean;
  readonly cleanUp?: () => Promise<void>;
};

/** Each call of `makeVault` gives a vault over the same place. Names are fresh, so the place may hold others. */
export const vaultContract = (name: string, makeVault: () => Vault | Promise<Vault>, options: VaultOptions): void => {
  describe(`vault: ${name}`, () => {
    after(async () => options.cleanUp?.());
    const withVault: WithVault = async (work) => {
      const vault = await makeVault();
      try {
        await work(vault, freshName());
      } finally {
        await vault.close();
      }
    };
    secrets(withVault);
    destruction(withVault);
    counting(withVault);
    if (options.keeps) keeping(makeVault);
  });
};

type WithVault = (work: (vault: Vault, name: string) => Promise<void>) => Promise<void>;

const freshName = (): string => `test.${randomBytes(8).toString('hex')}`;
const one = Uint8Array.of(1, 2, 3);
const other = Uint8Array.of(9, 8);

const assertSecret = (found: Uint8Array | 'destroyed' | undefined, expected: Uint8Array): void => {
  assert.ok(found instanceof Uint8Array);
  assert.deepEqual([...found], [...expected]);
};

const secrets = (withVault: WithVault): void => {
  it('has copies of its own of what is given and what it gives', async () => {
    await withVault(async (vault, name) => {
      for (const store of [vault.create, vault.put]) {
        const given = one.slice();
        await store(name, given);
        given.fill(0);
        const got = await vault.get(name);
        assertSecret(got, one);
        if (got instanceof Uint8Array) got.fill(0);
        assertSecret(await vault.get(name), one);
      }
    });
  });

  it('answers what was created with a copy, also where that is a Buffer, whose slices are no copies', () =>
    withVault(async (vault, name) => {
      const given = Buffer.from(one);
      const got = await vault.create(name, given);
      given.fill(0);
      assertSecret(got, one);
      assertSecret(await vault.get(name), one);
    }));

  it('says undefined of a name that was never made', () =>
    withVault(async (vault, name) => {
      assert.equal(await vault.get(name), undefined);
    }));

  it('gives back what was created', () =>
    withVault(async (vault, name) => {
      assertSecret(await vault.create(name, one), one);
      assertSecret(await vault.get(name), one);
    }));

  it('creates only once: the first secret holds', () =>
    withVault(async (vault, name) => {
      await vault.create(name, one);
      assertSecret(await vault.create(name, other), one);
      assertSecret(await vault.get(name), one);
    }));

  it('gives all who create at once the same secret', () =>
    withVault(async (vault, name) => {
      const made = await Promise.all(Array.from({ length: 10 }, () => vault.create(name, randomBytes(32))));
      const held = await vault.get(name);
      assert.ok(held instanceof Uint8Array);
      for (const secret of made) assertSecret(secret, held);
    }));

  it('puts a secret in place of the former one', () =>
    withVault(async (vault, name) => {
      assert.equal(await vault.put(name, one), 'stored');
      assert.equal(await vault.put(name, other), 'stored');
      assertSecret(await vault.get(name), other);
    }));

  it('replaces a secret only as long as it is the former one', () =>
    withVault(async (vault, name) => {
      assert.equal(await vault.replace(name, one, other), 'changed');
      assert.equal(await vault.get(name), undefined);
      await vault.put(name, one);
      assert.equal(await vault.replace(name, other, other), 'changed');
      assertSecret(await vault.get(name), one);
      assert.equal(await vault.replace(name, one, other), 'stored');
      assertSecret(await vault.get(name), other);
      await vault.destroy(name);
      assert.equal(await vault.replace(name, other, one), 'destroyed');
      assert.equal(await vault.get(name), 'destroyed');
    }));

  it('lets one of all succeed who replace the same secret at once', () =>
    withVault(async (vault, name) => {
      await vault.put(name, one);
      const made = Array.from({ length: 10 }, () => randomBytes(32));
      const outcomes = await Promise.all(made.map((secret) => vault.replace(name, one, secret)));
      assert.equal(outcomes.filter((outcome) => outcome === 'stored').length, 1);
      assertSecret(await vault.get(name), made[outcomes.indexOf('stored')] ?? assert.fail('nobody succeeded'));
    }));

  it('never replaces what is put at the same time', () =>
    withVault(async (vault, name) => {
      await vault.put(name, one);
      await Promise.all([vault.replace(name, one, randomBytes(32)), vault.put(name, other)]);
      assertSecret(await vault.get(name), other);
    }));

  it('keeps empty secrets and long ones', () =>
    withVault(async (vault, name) => {
      const long = randomBytes(10_000);
      await vault.create(`${name}.long`, long);
      await vault.create(`${name}.empty`, new Uint8Array());
      assertSecret(await vault.get(`${name}.long`), long);
      assertSecret(await vault.get(`${name}.empty`), new Uint8Array());
    }));

  it('holds its own copy of a secret', () =>
    withVault(async (vault, name) => {
      const mine = Uint8Array.of(1, 2, 3);
      await vault.put(name, mine);
      mine.fill(0);
      const first = await vault.get(name);
      assertSecret(first, one);
      if (first instanceof Uint8Array) first.fill(0);
      assertSecret(await vault.get(name), one);
    }));
};

const destruction = (withVault: WithVault): void => {
  it('has a destroyed secret no more, and its name never again', () =>
    withVault(async (vault, name) => {
      await vault.create(name, one);
      await vault.destroy(name);
      assert.equal(await vault.get(name), 'destroyed');
      assert.equal(await vault.create(name, other), 'destroyed');
      assert.equal(await vault.put(name, other), 'destroyed');
      assert.equal(await vault.get(name), 'destroyed');
    }));

  it('can destroy a name that was never made, and one that is gone', () =>
    withVault(async (vault, name) => {
      await vault.destroy(name);
      await vault.destroy(name);
      assert.equal(await vault.create(name, one), 'destroyed');
    }));

  it('lets a destruction win over whoever creates or puts at the same time', () =>
    withVault(async (vault, name) => {
      await vault.put(name, one);
      await Promise.all([vault.put(name, other), vault.destroy(name), vault.create(name, other)]);
      assert.equal(await vault.get(name), 'destroyed');
    }));

  it('lists the destroyed names in order, page by page', () =>
    withVault(async (vault, name) => {
      const names = ['c', 'a', 'd', 'b'].map((suffix) => `${name}.${suffix}`);
      for (const gone of names) await vault.destroy(gone);
      await vault.create(`${name}.here`, one);
      const first = await vault.destroyed(name, 3);
      assert.deepEqual(first, [`${name}.a`, `${name}.b`, `${name}.c`]);
      assert.equal((await vault.destroyed(first[2], 1))[0], `${name}.d`);
      assert.ok((await vault.destroyed(undefined, 1_000)).includes(`${name}.d`));
    }));
};

const counting = (withVault: WithVault): void => {
  it('counts every name once, also those that were destroyed', () =>
    withVault(async (vault, name) => {
      const before = await vault.names();
      await vault.create(`${name}.created`, one);
      await vault.create(`${name}.created`, other);
      await vault.put(`${name}.put`, one);
      await vault.put(`${name}.put`, other);
      assert.equal(await vault.names(), before + 2);
      await vault.destroy(`${name}.put`);
      await vault.destroy(`${name}.put`);
      assert.equal(await vault.names(), before + 2);
    }));
};

const keeping = (makeVault: () => Vault | Promise<Vault>): void => {
  it('still has secrets and the register when it is opened again', async () => {
    const name = freshName();
    const first = await makeVault();
    await first.create(`${name}.here`, one);
    await first.put(`${name}.gone`, one);
    await first.destroy(`${name}.gone`);
    await first.close();
    const second = await makeVault();
    try {
      assertSecret(await second.get(`${name}.here`), one);
      assert.equal(await second.get(`${name}.gone`), 'destroyed');
      assert.equal(await second.create(`${name}.gone`, one), 'destroyed');
      assert.deepEqual(await second.destroyed(name, 1), [`${name}.gone`]);
    } finally {
      await second.close();
    }
  });
};
