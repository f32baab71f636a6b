declare const kind: unique symbol;

/**
 * A 64-bit snowflake: top bit 0, 41 bits of milliseconds since `epochMillis`, 10 bits of node, 12 bits of counter.
 * Never 0, which means "none" on the wire. Higher is newer, for all kinds of ids alike: clients sort chats by
 * comparing chat ids with message ids.
 */
export type Id<Kind extends string> = bigint & { readonly [kind]: Kind };

export type UserId = Id<'user'>;
export type SessionId = Id<'session'>;
export type MessageId = Id<'message'>;
export type GroupId = Id<'group'>;
export type CommunityId = Id<'community'>;
export type ChannelId = Id<'channel'>;
export type RoleId = Id<'role'>;
export type FileId = Id<'file'>;
export type StickerPackId = Id<'stickerPack'>;
export type RoomId = Id<'room'>;
export type InventoryItemId = Id<'inventoryItem'>;
export type InteractionId = Id<'interaction'>;
/** Names a WebAuthn credential of an account. */
export type AccountMfaId = Id<'accountMfa'>;

/** Unix time in milliseconds. */
export type Millis = number & { readonly [kind]: 'millis' };

/** 2025-01-01T00:00:00Z. */
export const epochMillis = 1_735_689_600_000;

/** The last time that ids can carry: it has 41 bits. */
export const idMillisMax = epochMillis + 2 ** 41 - 1;

const nodeBits = 10n;
const counterBits = 12n;
const belowTime = nodeBits + counterBits;

/** Node numbers run from 0 to this, inclusive. */
export const nodeMax = 2 ** Number(nodeBits) - 1;
const counterMax = 2 ** Number(counterBits) - 1;

export type SnowflakeParts = { readonly at: Millis; readonly node: number; readonly counter: number };

/** Of few big numbers, each of which is an object: ids are made for every message. */
export const snowflakeOf = ({ at, node, counter }: SnowflakeParts): bigint =>
  (BigInt(at - epochMillis) << belowTime) | BigInt(node * (counterMax + 1) + counter);

export const partsOf = (id: bigint): SnowflakeParts => ({
  at: millisOf(id),
  node: Number((id >> counterBits) & BigInt(nodeMax)),
  counter: Number(id & BigInt(counterMax)),
});

/** When the id was made. */
export const millisOf = (id: bigint): Millis => (Number(id >> belowTime) + epochMillis) as Millis;

/**
 * Makes ids that only ever grow, also when the clock steps back: then the last millisecond goes on counting, and
 * when its 4,096 numbers are used up the time part runs ahead of the clock. Throws when the node number is not one.
 */
export const snowflakes = (node: number, now: () => Millis): (() => bigint) => {
  if (!Number.isInteger(node) || node < 0 || node > nodeMax) {
    throw new Error(`node numbers run from 0 to ${nodeMax.toString()}`);
  }
  let at = 0;
  let counter = 0;
  return () => {
    // The very first millisecond of the epoch on node 0 would give 0, which is no id.
    const clock = Math.max(now(), epochMillis + 1);
    if (clock > at) {
      at = clock;
      counter = 0;
    } else if (counter < counterMax) {
      counter += 1;
    } else {
      at += 1;
      counter = 0;
    }
    return snowflakeOf({ at: at as Millis, node, counter });
  };
};
