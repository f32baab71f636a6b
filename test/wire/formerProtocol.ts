// The protocol as clients of July 2026 have it: the definitions before RPC 97 and update 26 were added. These clients
// are in the field, so the frames of tests go through their definitions as well, both ways.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import protobuf from 'protobufjs';
import { rpcTable, type RpcName } from '../../src/gen/rpcs.js';
import { oracleDecode, oracleEncode, type Plain } from './oracle.js';
import { readFacts, type EnumFacts, type Facts, type FieldFacts, type MessageFacts } from './protocolFacts.js';
import type { ServerFrame } from '../../src/wire/envelope.js';

export const formerFacts: Facts = readFacts('test/fixtures/protocolFormer.json');

const prefix = 'osmium.client.';

/** The text of a .proto file for one package, as protobufjs reads it. */
const protoText = (packageName: string): string => {
  const body = membersText(`${prefix}${packageName}`);
  return `syntax = "proto3"; package ${prefix}${packageName}; ${body}`;
};

const membersText = (parent: string): string =>
  [
    ...childrenOf(parent, formerFacts.messages).map(([name, facts]) => messageText(name, facts)),
    ...childrenOf(parent, formerFacts.enums).map(([name, facts]) => enumText(name, facts)),
  ].join(' ');

const childrenOf = <Facts>(parent: string, all: Readonly<Record<string, Facts>>): (readonly [string, Facts])[] =>
  Object.entries(all).filter(([name]) => name.slice(0, name.lastIndexOf('.')) === parent);

const lastWord = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

const messageText = (name: string, { fields }: MessageFacts): string => {
  const oneofs = new Set(fields.flatMap(({ oneof }) => oneof ?? []));
  const plain = fields.filter(({ oneof }) => oneof === undefined).map(fieldText);
  const members = [...oneofs].map((oneof) => {
    const inside = fields.filter((field) => field.oneof === oneof).map(fieldText);
    return `oneof ${oneof} { ${inside.join(' ')} }`;
  });
  return `message ${lastWord(name)} { ${[...plain, ...members, membersText(name)].join(' ')} }`;
};

const fieldText = ({ number, name, type, optional, repeated }: FieldFacts): string => {
  const rule = repeated === true ? 'repeated ' : optional === true ? 'optional ' : '';
  return `${rule}${type.startsWith(prefix) ? `.${type}` : type} ${name} = ${number.toString()};`;
};

const enumText = (name: string, { values }: EnumFacts): string =>
  `enum ${lastWord(name)} { ${Object.entries(values)
    .map(([key, value]) => `${key} = ${value.toString()};`)
    .join(' ')} }`;

const formerRoot = ((): protobuf.Root => {
  const root = new protobuf.Root();
  for (const file of formerFacts.files) protobuf.parse(protoText(file.replace('.proto', '')), root);
  root.resolveAll();
  return root;
})();

const clientMessage = formerRoot.lookupType('osmium.client.core.ClientMessage');
const serverMessage = formerRoot.lookupType('osmium.client.core.ServerMessage');

export type AnyRequest = { readonly id: number; readonly name: RpcName; readonly request: object };

/** The frame as a former client sends it; `undefined` when it does not know the RPC, or not all of the fields. */
export const formerFrame = ({ id, name, request }: AnyRequest): Uint8Array | undefined => {
  const field = clientMessage.fieldsById[rpcTable[name].number];
  if (field === undefined) return undefined;
  const value = withoutUndefined({ id, [field.name]: request });
  return isDeepStrictEqual(value, asFormer(clientMessage, value)) ? oracleEncode(clientMessage, value) : undefined;
};

/** Throws when a former client reads in the frame something else than the fields of `message` that it knows. */
export const checkFormerReading = (frame: Uint8Array, message: ServerFrame): void => {
  assert.deepEqual(oracleDecode(serverMessage, frame), asFormer(serverMessage, message));
};

/** The value without the fields that the former definitions do not have. */
const asFormer = (type: protobuf.Type, value: Plain): Plain =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => Object.hasOwn(type.fields, name))
      .map(([name, item]) => {
        const { resolvedType } = type.fields[name] ?? {};
        if (!(resolvedType instanceof protobuf.Type)) return [name, item];
        const each = (inner: unknown): Plain => asFormer(resolvedType, inner as Plain);
        return [name, Array.isArray(item) ? item.map(each) : each(item)];
      }),
  );

/** Requests may hold `undefined` for what is absent. */
const withoutUndefined = (value: object): Plain =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]: [string, unknown]) => [name, isPlain(item) ? withoutUndefined(item) : itemsOf(item)]),
  );

const itemsOf = (value: unknown): unknown =>
  Array.isArray(value) ? value.map((item: unknown) => (isPlain(item) ? withoutUndefined(item) : item)) : value;

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
