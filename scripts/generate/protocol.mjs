// What the generator knows about the protocol: every message and enum with its TypeScript name and its fields.
import protobuf from 'protobufjs';

const protocolPrefix = 'osmium.client.';
const snowflakeOption = '(osmium.options.snowflake)';
const resultOption = '(osmium.options.result)';

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
  return { packages, types, rpcs: rpcsOf(root) };
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

const rpcsOf = (root) =>
  root
    .lookupType('osmium.client.core.ClientMessage')
    .fieldsArray.filter((field) => field.id > 1)
    .map((field) => ({ ...fieldOf(field), path: pathOf(field), result: camelCase(field.options?.[resultOption]) }))
    .sort((a, b) => a.number - b.number);

const camelCase = (name) => name?.replace(/_([a-z])/gu, (_, letter) => letter.toUpperCase());

/** `messagesSendMessage` is called `messages.sendMessage` by everyone but the wire. */
const pathOf = (field) => {
  const packageName = packageOf(field.resolvedType);
  const rest = field.name.slice(packageName.length);
  return `${packageName}.${rest[0].toLowerCase()}${rest.slice(1)}`;
};
