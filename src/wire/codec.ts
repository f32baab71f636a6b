import { ByteReader, TooManyItems, TooMuchText } from './byteReader.js';
import { ByteWriter } from './byteWriter.js';
import { Encoded } from './encoded.js';

/** How one message type is read and written. `Value` is what decoding gives, `Init` what encoding takes. */
export interface Codec<Value, Init> {
  /** The full protobuf name. */
  readonly typeName: string;
  /** Reads up to the end of the reader, merging into `from` when there is one. Throws as ByteReader does. */
  read(this: void, reader: ByteReader, from?: Value): Value;
  write(this: void, value: Init, writer: ByteWriter): void;
}

export type Decoded<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly fault: 'malformed' | 'tooMany' | 'tooLarge'; readonly reason: string };

export const encode = <Init>(codec: Codec<unknown, Init>, value: Init): Uint8Array => {
  const writer = new ByteWriter();
  codec.write(value, writer);
  return writer.finish();
};

/** The same as part of a list. */
export const encodePart = <Init>(codec: Codec<unknown, Init>, value: Init): Encoded<Init> =>
  new Encoded(encode(codec, value));

/** Never throws on bad bytes. Byte fields are views into `bytes`. Lists may have any length. */
export const decode = <Value>(codec: Codec<Value, never>, bytes: Uint8Array): Decoded<Value> =>
  decodedFrom(new ByteReader(bytes), codec);

/**
 * The same for requests, whose senders are not trusted. A list beyond its bound in proto/ is the fault `tooMany`, texts
 * beyond `textBytesMax` are `tooLarge`; both are found before more is read, and the reason names the bound.
 */
export const decodeBounded = <Value>(codec: Codec<Value, never>, bytes: Uint8Array): Decoded<Value> =>
  decodedFrom(ByteReader.bounded(bytes), codec);

const decodedFrom = <Value>(reader: ByteReader, codec: Codec<Value, never>): Decoded<Value> => {
  try {
    return { ok: true, value: codec.read(reader) };
  } catch (error) {
    if (error instanceof TooManyItems) return { ok: false, fault: 'tooMany', reason: error.message };
    if (error instanceof TooMuchText) return { ok: false, fault: 'tooLarge', reason: error.message };
    // protobufjs has no class of its own for this. Nothing but the bytes goes in here, so the fault is theirs.
    return { ok: false, fault: 'malformed', reason: error instanceof Error ? error.message : 'malformed' };
  }
};

/**
 * Whether a number that came over the wire is one of an enum's. Protobuf enums are open: a newer client may send a
 * number that is not listed, and decoding keeps it.
 */
export const isValueOf = <Value extends number>(
  members: Readonly<Record<string, Value>>,
  value: number,
): value is Value => Object.values(members).some((member) => member === value);

/** A decoded value while it is being read. */
export type Draft<Value> = {
  -readonly [Key in keyof Value]: Value[Key] extends readonly (infer Item)[] ? Item[] : Value[Key];
};
