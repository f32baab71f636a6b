import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import protobuf from 'protobufjs';
import { rpcTable } from '../../src/gen/rpcs.js';
import { allNested, codecs, messagesOf, nameOf, protocolFiles, protocolRoot } from './definitions.js';
import { formerFacts } from './formerProtocol.js';
import { readFacts, type Facts, type FieldFacts, type MessageFacts, type RpcFacts } from './protocolFacts.js';

const typeOf = (field: protobuf.Field): string =>
  field.resolvedType === null ? field.type : nameOf(field.resolvedType);

const optionOf = (field: protobuf.Field, name: string): string | undefined =>
  field.options?.[`(osmium.options.${name})`] as string | undefined;

const fieldFacts = (field: protobuf.Field): FieldFacts => {
  const { partOf } = field;
  const snowflake = optionOf(field, 'snowflake');
  return {
    number: field.id,
    name: field.name,
    type: typeOf(field),
    ...(field.options?.['proto3_optional'] === true && { optional: true }),
    ...(field.repeated && { repeated: true }),
    ...(field.options?.['deprecated'] === true && { deprecated: true }),
    ...(partOf !== null && !partOf.isProto3Optional && { oneof: partOf.name }),
    ...(snowflake !== undefined && { snowflake }),
  };
};

const fileOf = (reflected: protobuf.ReflectionObject): string => `${nameOf(reflected).split('.')[2] ?? ''}.proto`;

const messageFacts = (type: protobuf.Type): MessageFacts => ({
  file: fileOf(type),
  fields: type.fieldsArray.map(fieldFacts).sort((a, b) => a.number - b.number),
  // protobufjs leaves it undefined where nothing is reserved, whatever its types say.
  ...(Array.isArray(type.reserved) && { reserved: type.reserved as [number, number][] }),
});

const rpcFacts = (field: protobuf.Field): RpcFacts => ({
  number: field.id,
  field: field.name,
  request: typeOf(field),
  result: optionOf(field, 'result') ?? null,
});

const definedFacts = (): Facts => {
  const root = protocolRoot({ keepCase: true });
  const enums = allNested(root).filter((child) => child instanceof protobuf.Enum);
  const requests = root.lookupType('osmium.client.core.ClientMessage').fieldsArray.filter(({ id }) => id > 1);
  return {
    files: [...protocolFiles].sort(),
    rpcs: requests.map(rpcFacts).sort((a, b) => a.number - b.number),
    messages: Object.fromEntries(messagesOf(root).map((type) => [nameOf(type), messageFacts(type)])),
    enums: Object.fromEntries(enums.map((type) => [nameOf(type), { file: fileOf(type), values: { ...type.values } }])),
  };
};

const message = (facts: Facts, name: string): MessageFacts => {
  const found = facts.messages[`osmium.client.${name}`];
  assert.ok(found, name);
  return found;
};

const field = (facts: Facts, name: string, index: number): FieldFacts => {
  const found = message(facts, name).fields[index];
  assert.ok(found, name);
  return found;
};

const firstRpc = (facts: Facts): RpcFacts => {
  const [found] = facts.rpcs;
  assert.ok(found);
  return found;
};

const mutations: Readonly<Record<string, (facts: Facts) => void>> = {
  'a field number': (facts) => (field(facts, 'auth.Authorize', 0).number = 1),
  'a field name': (facts) => (field(facts, 'auth.Authorize', 0).name = 'Token'),
  'a field type': (facts) => (field(facts, 'media.UploadFilePart', 0).type = 'fixed64'),
  'an optional': (facts) => delete field(facts, 'auth.LegacySignIn', 2).optional,
  'a repeated': (facts) => delete field(facts, 'auth.RevokeSessions', 0).repeated,
  'a oneof': (facts) => (field(facts, 'refs.ChatRef', 0).oneof = 'target'),
  'a deprecated': (facts) => delete field(facts, 'messages.SendMessage', 2).deprecated,
  'a snowflake': (facts) => (field(facts, 'refs.UserRef', 0).snowflake = 'Role'),
  'a reserved number': (facts) => delete message(facts, 'core.RPCResult').reserved,
  'a field more': (facts) => message(facts, 'refs.RefSelf').fields.push({ number: 1, name: 'id', type: 'fixed64' }),
  'a field less': (facts) => message(facts, 'auth.SignIn').fields.pop(),
  'a message less': (facts) => delete facts.messages['osmium.client.refs.RefSelf'],
  'a message more': (facts) => (facts.messages['osmium.client.refs.Ref'] = { file: 'refs.proto', fields: [] }),
  'a file of a message': (facts) => (message(facts, 'refs.RefSelf').file = 'types.proto'),
  'an enum value': (facts) => Object.assign(facts.enums, { 'osmium.client.types.ChannelType': { TEXT: 1 } }),
  'an RPC number': (facts) => (firstRpc(facts).number = 120),
  'an RPC request': (facts) => (firstRpc(facts).request = 'osmium.client.auth.SignUp'),
  'an RPC result': (facts) => (firstRpc(facts).result = null),
};

describe('the definitions in proto', () => {
  const defined = definedFacts();

  it('are the protocol, no less and no more', () => {
    assert.deepEqual(defined, readFacts());
  });

  for (const [what, mutate] of Object.entries(mutations))
    it(`would not pass with ${what} changed`, () => {
      const facts = readFacts();
      mutate(facts);
      assert.throws(() => {
        assert.deepEqual(defined, facts);
      });
    });

  it('stand in the file of their package', () => {
    for (const file of protocolFiles) {
      const parsed = protobuf.parse(readFileSync(`proto/${file}`, 'utf8'), new protobuf.Root());
      assert.equal(`${parsed.package ?? ''}.proto`, `osmium.client.${file}`);
    }
  });

  it('count 118 RPCs, 27 updates, 300 messages and 14 enums', () => {
    const updates = defined.messages['osmium.client.updates.Update'];
    const counts = [defined.rpcs, updates?.fields ?? [], Object.keys(defined.messages), Object.keys(defined.enums)];
    assert.deepEqual(
      counts.map((list) => list.length),
      [118, 27, 300, 14],
    );
  });
});

describe('the former definitions', () => {
  const facts = readFacts();
  /** The RPC number 2 has another name now, and its request with it. */
  const renamed: Readonly<Record<string, string>> = { 'osmium.client.auth.SignIn': 'osmium.client.auth.LegacySignIn' };
  const nowOf = (name: string): string => renamed[name] ?? name;
  // Names of members of ClientMessage are not on the wire, and deprecated fields are still there.
  const wireOf = ({ number, name, type, optional, repeated, oneof }: FieldFacts, of: string) => ({
    ...{ number, name: of === 'osmium.client.core.ClientMessage' ? number : name, type: nowOf(type) },
    ...{ optional, repeated, oneof },
  });

  it('are all still there, field by field', () => {
    for (const [name, { fields }] of Object.entries(formerFacts.messages)) {
      const now = facts.messages[nowOf(name)]?.fields.map((field) => wireOf(field, name)) ?? [];
      for (const former of fields.map((field) => wireOf(field, name)))
        assert.deepEqual(
          now.find(({ number }) => number === former.number),
          former,
          `${name}.${former.name.toString()}`,
        );
    }
    for (const [name, { values }] of Object.entries(formerFacts.enums))
      assert.deepEqual({ ...facts.enums[name]?.values, ...values }, facts.enums[name]?.values, name);
  });

  it('have an answer to each RPC that is the same now', () => {
    const answers = ({ rpcs }: Facts) =>
      new Map(rpcs.map(({ number, request, result }) => [number, [nowOf(request), result]]));
    const now = answers(facts);
    for (const [number, answer] of answers(formerFacts)) assert.deepEqual(now.get(number), answer, number.toString());
  });
});

describe('the generated code', () => {
  const facts = readFacts();

  it('has a codec for every message', () => {
    assert.deepEqual([...codecs.keys()].sort(), Object.keys(facts.messages).sort());
  });

  it('has every RPC with its number, request and result', () => {
    const camelCase = (name: string) => name.replace(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase());
    const generated = Object.values(rpcTable).map((rpc) => ({
      number: rpc.number,
      field: rpc.name,
      request: rpc.request.typeName,
      result: rpc.result ?? null,
    }));
    const expected = facts.rpcs.map((rpc) => ({
      ...rpc,
      field: camelCase(rpc.field),
      result: rpc.result && camelCase(rpc.result),
    }));
    assert.deepEqual(generated, expected);
  });
});
