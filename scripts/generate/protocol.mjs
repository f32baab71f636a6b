// What the generator knows about the protocol: every message and enum with its TypeScript name and its fields.
import protobuf from 'protobufjs';

const protocolPrefix = 'osmium.client.';
const snowflakeOption = '(osmium.options.snowflake)';
const resultOption = '(osmium.options.result)';
const itemsMaxOption = '(osmium.options.items_max)';

export const readProtocol = (protos) => {
  const root = new protobuf.Root();
  for (const { file, text } of protos) {
    // Options are read by name; their declarations would only drag in descriptor.proto.
    if (file === 'options.proto') continue;
    protobuf.parse(text, root, { alternateCommentMode: true });
  }
  root.resolveAll();
  const client = root.lookup('osmium.client');
  const packages = client.nestedArray.map((namespace) => namespace.name).sort();
  const types = client.nestedArray.flatMap((namespace) => withNested(namespace)).map(typeOf);
  refuseRecursion(types);
  const rpcs = rpcsOf(root);
  refuseBoundless(types, rpcs);
  return { packages, types, rpcs };
};

const withNested = (parent) => (parent.nestedArray ?? []).flatMap((child) => [child, ...withNested(child)]);

const typeOf = (reflected) => ({
  typeName: fullName(reflected),
  packageName: packageOf(reflected),
  name: tsName(reflected),
  comment: reflected.comment ?? undefined,
  values: reflected.values,
  fields: reflected.fieldsArray?.map(fieldOf).sort((a, b) => a.number - b.number),
});

const fieldOf = (field) => ({
  number: field.id,
  name: field.name,
  type: field.type,
  reference: field.resolvedType && {
    packageName: packageOf(field.resolvedType),
    name: tsName(field.resolvedType),
    typeName: fullName(field.resolvedType),
    isEnum: field.resolvedType instanceof protobuf.Enum,
  },
  repeated: field.repeated,
  itemsMax: field.options?.[itemsMaxOption],
  wireName: snakeCase(field.name),
  hasPresence: Boolean(field.partOf) || (field.resolvedType instanceof protobuf.Type && !field.repeated),
  oneof: field.partOf && !field.partOf.isProto3Optional ? field.partOf.name : undefined,
  snowflake: field.options?.[snowflakeOption],
  deprecated: field.options?.deprecated === true,
  comment: field.comment ?? undefined,
});

const fullName = (reflected) => reflected.fullName.slice(1);

const packageOf = (reflected) => fullName(reflected).slice(protocolPrefix.length).split('.')[0];

/** `Message.MessageReplyInfo.Quote` becomes `MessageReplyInfoQuote`: the path, without words said twice in a row. */
export const tsName = (reflected) =>
  fullName(reflected).slice(protocolPrefix.length).split('.').slice(1).reduce(joinNames);

const joinNames = (outer, inner) => {
  const outerWords = outer.match(/[A-Z][^A-Z]*/gu) ?? [outer];
  const innerWords = inner.match(/[A-Z][^A-Z]*/gu) ?? [inner];
  // The inner name must keep a word of its own: `UserStatus.Status` is `UserStatusStatus`.
  for (let shared = Math.min(outerWords.length, innerWords.length - 1); shared > 0; shared -= 1) {
    const same = outerWords.slice(-shared).join('') === innerWords.slice(0, shared).join('');
    if (same) return outer + innerWords.slice(shared).join('');
  }
  return outer + inner;
};

/** Reading nested messages has no depth limit because the protocol has an end. That must stay so. */
const refuseRecursion = (types) => {
  const byName = new Map(types.map((type) => [type.typeName, type]));
  const walk = (typeName, path) => {
    if (path.includes(typeName)) throw new Error(`recursive message: ${[...path, typeName].join(' > ')}`);
    for (const field of byName.get(typeName).fields ?? [])
      if (field.reference && !field.reference.isEnum) walk(field.reference.typeName, [...path, typeName]);
  };
  for (const type of types) walk(type.typeName, []);
};

/** A list in a request is counted while it is read, so each needs a bound; a list in a result is ours and has none. */
const refuseBoundless = (types, rpcs) => {
  const inRequests = reachable(types, rpcs);
  for (const { typeName, fields = [] } of types)
    for (const { wireName, repeated, itemsMax } of fields) {
      const needsBound = repeated && inRequests.has(typeName);
      if (needsBound && !(Number.isInteger(itemsMax) && itemsMax > 0))
        throw new Error(`a list in a request needs ${itemsMaxOption}: ${typeName}.${wireName}`);
      if (!needsBound && itemsMax !== undefined)
        throw new Error(`${itemsMaxOption} is for lists in requests: ${typeName}.${wireName}`);
    }
};

const reachable = (types, rpcs) => {
  const byName = new Map(types.map((type) => [type.typeName, type]));
  const found = new Set();
  const visit = ({ reference }) => {
    if (!reference || found.has(reference.typeName)) return;
    found.add(reference.typeName);
    for (const field of byName.get(reference.typeName).fields ?? []) visit(field);
  };
  for (const rpc of rpcs) visit(rpc);
  return found;
};

const rpcsOf = (root) =>
  root
    .lookupType('osmium.client.core.ClientMessage')
    .fieldsArray.filter((field) => field.id > 1)
    .map((field) => ({ ...fieldOf(field), path: pathOf(field), result: camelCase(field.options?.[resultOption]) }))
    .sort((a, b) => a.number - b.number);

const snakeCase = (name) => name.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);

const camelCase = (name) => name?.replace(/_([a-z])/gu, (_, letter) => letter.toUpperCase());

/** `messagesSendMessage` is called `messages.sendMessage` by everyone but the wire. */
const pathOf = (field) => {
  const packageName = packageOf(field.resolvedType);
  const rest = field.name.slice(packageName.length);
  return `${packageName}.${rest[0].toLowerCase()}${rest.slice(1)}`;
};
