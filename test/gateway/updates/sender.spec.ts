import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Delivery } from '../../../src/gateway/contract/updates.js';
import { sender, supersededMax, type Sender } from '../../../src/gateway/updates/sender.js';
import type { ChannelId, CommunityId, MessageId, UserId } from '../../../src/kernel/ids.js';

const audience = [1n as UserId];
const about = 'community.1';
const placeOf = (channel: number): string => `channel.1.${channel.toString()}`;
const channelUpdate = (channel: number): Delivery => ({
  audience,
  update: { channel: { channel: { id: BigInt(channel) as ChannelId, communityId: 1n as CommunityId } } },
  merge: { place: placeOf(channel), what: 'channel' },
});
const message = (id: number): Delivery => ({
  audience,
  update: { messageDeleted: { messageIds: [BigInt(id) as MessageId] } },
});
const nameOf = ({ update: { ...of } }: Delivery): string =>
  'channel' in of ? `channel ${of.channel.channel?.id?.toString() ?? ''}` : 'message';

const sending = (cannotBeSent?: string) => {
  const sent: string[] = [];
  const failures: string[] = [];
  const deliver = (told: Iterable<Delivery>): number => {
    const names = Array.from(told, nameOf);
    if (cannotBeSent !== undefined && names.includes(cannotBeSent)) throw new Error(cannotBeSent);
    return sent.push(...names);
  };
  const error = ({ err }: { readonly err: Error }): void => void failures.push(err.message);
  const made = sender({ hub: { deliver }, count: () => undefined, logger: { error } });
  const tell = (deliveries: readonly Delivery[], of = about): void => {
    made.send({ deliveries, about: of, actor: undefined, position: 1n });
  };
  return { ...made, sent, failures, tell };
};
const channels = (count: number): readonly Delivery[] => Array.from({ length: count }, (_, at) => channelUpdate(at));

/** How many updates were sent whenever others might have been let in. */
const looksOf = async ({ rest }: Pick<Sender, 'rest'>, sent: readonly string[]): Promise<readonly number[]> => {
  const looks: number[] = [];
  await rest(() => void looks.push(sent.length));
  return looks;
};

describe('updates that were held', () => {
  it('let others in behind each', async () => {
    const { tell, sent, ...made } = sending();
    tell(channels(500));
    assert.deepEqual(
      await looksOf(made, sent),
      Array.from({ length: 500 }, (_, at) => at + 1),
    );
  });

  it('are still sent before what is said in their place meanwhile', async () => {
    const { tell, sent, rest } = sending();
    tell(channels(4));
    await rest(() => {
      if (sent.length === 1) tell([message(1)], placeOf(2));
      return undefined;
    });
    assert.deepEqual(sent, ['channel 0', 'channel 2', 'message', 'channel 1', 'channel 3']);
  });

  it('are sent also where one of them cannot be, which is said', async () => {
    const { tell, sent, failures, rest } = sending('channel 1');
    tell(channels(3));
    await rest(() => undefined);
    assert.deepEqual([sent, failures], [['channel 0', 'channel 2'], ['channel 1']]);
  });

  it('keep nothing back that is said in the place of one that cannot be sent', () => {
    const { tell, sent, failures } = sending('channel 0');
    tell([channelUpdate(0)]);
    tell([message(1)], placeOf(0));
    assert.deepEqual([sent, failures], [['message'], ['channel 0']]);
  });

  it('are to be flushed once they are too many', () => {
    const { tell, isFull } = sending();
    tell(channels(supersededMax));
    assert.equal(isFull(), false);
    tell([channelUpdate(supersededMax)]);
    assert.equal(isFull(), true);
  });
});
