/**
 * An update of which a few fields differ by viewer. The fields that all viewers share are encoded once; those of one
 * viewer, the tail, are put behind them. Protobuf takes the fields of a message in any order.
 */
import { updateTable, type UpdateInit, type UpdateName, type Updates } from '../gen/rpcs.js';
import { wireType } from './byteReader.js';
import { varintSize, writeVarint } from './byteWriter.js';
import { encode } from './codec.js';
import { updateTag, writeFrameId } from './envelope.js';

export type Spliceable<Name extends UpdateName = UpdateName> = {
  readonly name: Name;
  /** The tag of the update's member, and the fields that all viewers share. */
  readonly tag: number;
  readonly common: Uint8Array;
};

/** One viewer's copy: the id is the next one of the connection. */
export type SplicedUpdate = { readonly id: number; readonly update: Spliceable; readonly tail: Uint8Array };

/** `common` holds no field that the tails will have. */
export const spliceable = <Name extends UpdateName>(name: Name, common: Updates[Name]['init']): Spliceable<Name> => {
  const { number, codec } = updateTable[name];
  return { name, tag: number * 8 + wireType.delimited, common: encode(codec, common) };
};

/** The fields of one viewer, or of all viewers for whom they are the same. */
export const encodeTail = <Name extends UpdateName>(name: Name, fields: Updates[Name]['init']): Uint8Array =>
  encode(updateTable[name].codec, fields);

/** The same for an update that is named by its only member. */
export const spliceableUpdate = (update: UpdateInit): Spliceable => {
  const [name, common] = memberOf(update);
  return spliceable(name, common);
};
export const encodeUpdateTail = (fields: UpdateInit): Uint8Array => {
  const [name, tail] = memberOf(fields);
  return encodeTail(name, tail);
};

/** The same update with more fields. It may hold none of them yet. */
export const withMoreFields = (update: Spliceable, fields: UpdateInit): Spliceable => ({
  ...update,
  common: Buffer.concat([update.common, encodeUpdateTail(fields)]),
});

const memberOf = (update: UpdateInit): readonly [UpdateName, never] => {
  const [member] = Object.entries(update);
  if (member === undefined) throw new Error('an update has exactly one member');
  // The type of an update pairs each name with its own value, which Object.entries forgets.
  return member as unknown as readonly [UpdateName, never];
};

/** The size of the ServerMessage that `writeSpliced` writes, in bytes. */
export const splicedSize = ({ id, update, tail }: SplicedUpdate): number => {
  const inner = update.common.length + tail.length;
  const outer = varintSize(update.tag) + varintSize(inner) + inner;
  return 1 + varintSize(id) + 1 + varintSize(outer) + outer;
};

/** Writes a ServerMessage into `target` from `at` on and returns where it ends. */
export const writeSpliced = (target: Uint8Array, at: number, { id, update, tail }: SplicedUpdate): number => {
  const inner = update.common.length + tail.length;
  const outer = varintSize(update.tag) + varintSize(inner) + inner;
  let end = writeFrameId(target, at, id);
  target[end] = updateTag;
  end = writeVarint(target, end + 1, outer);
  end = writeVarint(target, end, update.tag);
  end = writeVarint(target, end, inner);
  target.set(update.common, end);
  end += update.common.length;
  target.set(tail, end);
  return end + tail.length;
};
