// The oracle of the generated code: protobufjs' reflection, in terms of our values. The bytes below it are read and
// written by the same library on both sides; seed.spec.ts and codec.spec.ts hold those against bytes by hand.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import protobuf from 'protobufjs';

const uint64Max = 2n ** 64n - 1n;

export type Plain = Record<string, unknown>;

const scalarArbitraries: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  uint64: fc.bigInt({ min: 0n, max: uint64Max }),
  fixed64: fc.bigInt({ min: 0n, max: uint64Max }),
  bool: fc.boolean(),
  string: fc.string({ unit: 'binary', maxLength: 60 }),
  bytes: fc.uint8Array({ maxLength: 20 }),
};

const single = (field: protobuf.Field): fc.Arbitrary<unknown> => {
  if (field.resolvedType instanceof protobuf.Type) return arbitraryOf(field.resolvedType);
  if (field.resolvedType !== null) return fc.constantFrom(...Object.values(field.resolvedType.values));
  const scalar = scalarArbitraries[field.type];
  assert.ok(scalar, field.type);
  return scalar;
};

const isInOneof = (field: protobuf.Field): boolean => field.partOf !== null && !field.partOf.isProto3Optional;

const arbitraries = new Map<protobuf.Type, fc.Arbitrary<Plain>>();

/** A value of the message with any of its fields, and of a oneof one member at most. */
export const arbitraryOf = (type: protobuf.Type): fc.Arbitrary<Plain> => {
  const known = arbitraries.get(type);
  if (known !== undefined) return known;
  const plain = type.fieldsArray
    .filter((field) => !isInOneof(field))
    .map((field) => [field.name, field.repeated ? fc.array(single(field), { maxLength: 3 }) : single(field)]);
  const fields = fc.record(Object.fromEntries(plain) as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: [],
    noNullPrototype: true,
  });
  const members = type.oneofsArray
    .filter((oneof) => !oneof.isProto3Optional)
    .map((oneof) =>
      fc.oneof(
        fc.constant({}),
        ...oneof.fieldsArray.map((field) => single(field).map((value) => ({ [field.name]: value }))),
      ),
    );
  const arbitrary = fc.tuple(fields, ...members).map((parts) => Object.assign({}, ...parts) as Plain);
  arbitraries.set(type, arbitrary);
  return arbitrary;
};

const perField = (type: protobuf.Type, value: Plain, map: (field: protobuf.Field, item: unknown) => unknown): Plain =>
  Object.fromEntries(
    type.fieldsArray
      .filter((field) => Object.hasOwn(value, field.name))
      .map((field) => {
        const item = value[field.name];
        const mapped = Array.isArray(item) ? item.map((each) => map(field, each)) : map(field, item);
        return [field.name, mapped];
      }),
  );

/** With the 64-bit numbers that protobufjs wants. */
const forOracle = (type: protobuf.Type, value: Plain): Plain =>
  perField(type, value, (field, item) => {
    if (field.resolvedType instanceof protobuf.Type) return forOracle(field.resolvedType, item as Plain);
    return typeof item === 'bigint' ? longOf(item) : item;
  });

const longOf = (value: bigint): unknown =>
  new protobuf.util.LongBits(Number(value & 0xffff_ffffn), Number(value >> 32n)).toLong(true);

/** What protobufjs has decoded, with bigints and with the zeros that it keeps on prototypes. */
const fromOracle = (type: protobuf.Type, value: Plain): Plain =>
  withZeros(
    type,
    perField(type, value, (field, item) => {
      if (field.resolvedType instanceof protobuf.Type) return fromOracle(field.resolvedType, item as Plain);
      if (field.type === 'bytes') return new Uint8Array(item as Uint8Array);
      return field.type === 'fixed64' || field.type === 'uint64' ? BigInt(String(item)) : item;
    }),
  );

const zeros: Readonly<Record<string, unknown>> = {
  ...{ uint32: 0, uint64: 0n, fixed64: 0n },
  ...{ bool: false, string: '', bytes: new Uint8Array(0) },
};

const withZeros = (type: protobuf.Type, value: Plain): Plain => {
  const absent = type.fieldsArray.filter(
    (field) => field.repeated || (field.partOf === null && !(field.resolvedType instanceof protobuf.Type)),
  );
  const zeroOf = (field: protobuf.Field) => (field.repeated ? [] : field.resolvedType === null ? zeros[field.type] : 0);
  return { ...Object.fromEntries(absent.map((field) => [field.name, zeroOf(field)])), ...value };
};

export const oracleEncode = (type: protobuf.Type, value: Plain): Uint8Array =>
  type.encode(forOracle(type, value)).finish();

export const oracleDecode = (type: protobuf.Type, from: Uint8Array): Plain => fromOracle(type, type.decode(from));
