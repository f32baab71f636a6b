import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import type { Millis } from '../../src/kernel/ids.js';
import { leaseMillis, type Lease, type Leases } from '../../src/kernel/ports/leases.js';

/** Some nodes before one store. */
export type LeasePlace = {
  /** What one more node has. */
  readonly node: () => Leases | Promise<Leases>;
  /** Lets time pass on the monotonic clocks of all nodes. */
  readonly pass: (millis: number) => void;
};

export type LeasesOptions = {
  /** Whether other processes can take the leases, so that they have fences and lapse. */
  readonly shared: boolean;
  readonly cleanUp?: () => Promise<void>;
};

export const leasesContract = (
  name: string,
  makePlace: () => LeasePlace | Promise<LeasePlace>,
  options: LeasesOptions,
): void => {
  describe(`leases: ${name}`, () => {
    const opened: Leases[] = [];
    after(async () => {
      for (const leases of opened) await leases.close();
      await options.cleanUp?.();
    });
    const withNodes: WithNodes = async (work) => {
      const place = await makePlace();
      const [one, other] = [await place.node(), await place.node()];
      opened.push(one, other);
      await work({ one, other, pass: place.pass, lease: `test ${randomBytes(6).toString('hex')}` });
    };
    oneHolder(withNodes);
    notes(withNodes);
    marks(withNodes);
    if (options.shared) {
      it('tells the time of the store, which is the same for all nodes', () =>
        withNodes(async ({ one, other }) => {
          const times: number[] = [];
          for (const node of [one, other, one]) times.push((await node.time()) ?? Number.NaN);
          // In the order in which they were asked; a store that runs on this machine has its clock.
          assert.deepEqual(times.toSorted(), times);
          assert.ok(
            times.every((time) => Math.abs(time - Date.now()) < 60_000),
            times.join(', '),
          );
        }));
      fences(withNodes);
      lapses(withNodes);
    } else {
      it('has no fence, because nobody else can take it', () =>
        withNodes(async ({ one, lease }) => {
          assert.equal((await taken(one, lease)).fence, undefined);
        }));
      it('has no clock but this machine’s', () =>
        withNodes(async ({ one }) => {
          assert.equal(await one.time(), undefined);
        }));
    }
  });
};

type Nodes = {
  readonly one: Leases;
  readonly other: Leases;
  readonly pass: LeasePlace['pass'];
  readonly lease: string;
};
type WithNodes = (work: (nodes: Nodes) => Promise<void>) => Promise<void>;

const taken = async (leases: Leases, name: string): Promise<Lease> => {
  const lease = await leases.take(name);
  assert.ok(lease, 'the lease was not to be had');
  assert.equal(lease.name, name);
  return lease;
};

const oneHolder = (withNodes: WithNodes): void => {
  it('is given at once to who asks first, and to nobody else', () =>
    withNodes(async ({ one, other, lease }) => {
      await taken(one, lease);
      assert.equal(await other.take(lease), undefined);
      assert.equal(await one.take(lease), undefined);
    }));

  it('is given to one of many who ask at the same time', () =>
    withNodes(async ({ one, other, lease }) => {
      const asked = await Promise.all([one, other, one, other, one, other].map((node) => node.take(lease)));
      assert.equal(asked.filter((given) => given !== undefined).length, 1);
    }));

  it('is given at once to the next when it is released', () =>
    withNodes(async ({ one, other, lease }) => {
      const first = await taken(one, lease);
      assert.equal(await other.take(lease), undefined);
      await first.release();
      const second = await taken(other, lease);
      assert.equal(await second.renew(), true);
      assert.equal(await one.take(lease), undefined);
    }));

  it('is kept from who released it before', () =>
    withNodes(async ({ one, other, lease }) => {
      const first = await taken(one, lease);
      await first.release();
      const second = await taken(other, lease);
      assert.equal(await first.renew(), false);
      await first.release();
      assert.equal(await second.renew(), true);
      assert.equal(await one.take(lease), undefined);
    }));

  it('says nothing about leases of other names', () =>
    withNodes(async ({ one, other, lease }) => {
      await taken(one, lease);
      await taken(other, `${lease} too`);
    }));
};

const notes = (withNodes: WithNodes): void => {
  it('carries the last note to the next holder', () =>
    withNodes(async ({ one, other, lease }) => {
      const first = await taken(one, lease);
      assert.equal(first.note, 0n);
      await first.renew(2n ** 60n);
      await first.renew();
      await first.release();
      const second = await taken(other, lease);
      assert.equal(second.note, 2n ** 60n);
      await second.release(7n);
      assert.equal((await taken(one, lease)).note, 7n);
    }));

  it('takes no note from a former holder', () =>
    withNodes(async ({ one, other, lease }) => {
      const first = await taken(one, lease);
      await first.release(1n);
      const second = await taken(other, lease);
      await first.renew(2n);
      await first.release(3n);
      await second.release();
      assert.equal((await taken(one, lease)).note, 1n);
    }));
};

const marks = (withNodes: WithNodes): void => {
  it('has one mark of ids for all nodes, which only grows', () =>
    withNodes(async ({ one, other }) => {
      const before = (await one.mark.read()) ?? 0;
      const marked = (by: number): Millis => (Math.max(before, 2 ** 42) + by) as Millis;
      await Promise.all([one, other, one, other].map(({ mark }, index) => mark.raise(marked(index))));
      assert.equal(await one.mark.read(), marked(3));
      await other.mark.raise(marked(2));
      assert.equal(await other.mark.read(), marked(3));
    }));
};

const fenceOf = ({ fence }: Lease): bigint => {
  assert.ok(fence !== undefined, 'there is no fence');
  return fence;
};

const fences = (withNodes: WithNodes): void => {
  it('has a higher fence with every holder, and the same one for as long as it is held', () =>
    withNodes(async ({ one, other, lease }) => {
      let before = 0n;
      for (const node of [one, other, one, one]) {
        const held = await taken(node, lease);
        assert.ok(fenceOf(held) > before);
        before = fenceOf(held);
        await held.renew();
        assert.equal(held.fence, before);
        await held.release();
      }
    }));
};

const lapses = (withNodes: WithNodes): void => {
  it('is taken over by who has seen its holder stand still for long enough', () =>
    withNodes(async ({ one, other, pass, lease }) => {
      const first = await taken(one, lease);
      assert.equal(await other.take(lease), undefined);
      pass(leaseMillis - 1);
      assert.equal(await other.take(lease), undefined);
      pass(1);
      const second = await taken(other, lease);
      assert.ok(fenceOf(second) > fenceOf(first));
      assert.equal(await first.renew(), false);
      await first.release();
      assert.equal(await second.renew(), true);
    }));

  it('is not taken over by who has only just come', () =>
    withNodes(async ({ one, other, pass, lease }) => {
      await taken(one, lease);
      pass(10 * leaseMillis);
      assert.equal(await other.take(lease), undefined);
    }));

  it('is held for as long as it is renewed', () =>
    withNodes(async ({ one, other, pass, lease }) => {
      const first = await taken(one, lease);
      for (let round = 0; round < 5; round += 1) {
        assert.equal(await other.take(lease), undefined);
        pass(leaseMillis - 1);
        assert.equal(await first.renew(), true);
      }
      assert.equal(await other.take(lease), undefined);
    }));

  it('is given to one of several who have waited for it', () =>
    withNodes(async ({ one, other, pass, lease }) => {
      await taken(one, lease);
      await Promise.all([other.take(lease), one.take(lease)]);
      pass(leaseMillis);
      const asked = await Promise.all([other, one, other, one, other].map((leases) => leases.take(lease)));
      assert.equal(asked.filter((given) => given !== undefined).length, 1);
    }));

  it('can still be renewed late, while nobody has taken it', () =>
    withNodes(async ({ one, other, pass, lease }) => {
      const first = await taken(one, lease);
      assert.equal(await other.take(lease), undefined);
      pass(2 * leaseMillis);
      assert.equal(await first.renew(), true);
      assert.equal(await other.take(lease), undefined);
    }));
};
