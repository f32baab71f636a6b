import { readFileSync, readdirSync } from 'node:fs';
import protobuf from 'protobufjs';
import * as auth from '../../src/gen/auth.js';
import * as billing from '../../src/gen/billing.js';
import * as chats from '../../src/gen/chats.js';
import * as communities from '../../src/gen/communities.js';
import * as core from '../../src/gen/core.js';
import * as discovery from '../../src/gen/discovery.js';
import * as friends from '../../src/gen/friends.js';
import * as media from '../../src/gen/media.js';
import * as messages from '../../src/gen/messages.js';
import * as oauth from '../../src/gen/oauth.js';
import * as reactions from '../../src/gen/reactions.js';
import * as refs from '../../src/gen/refs.js';
import * as settings from '../../src/gen/settings.js';
import * as stickers from '../../src/gen/stickers.js';
import * as types from '../../src/gen/types.js';
import * as updates from '../../src/gen/updates.js';
import * as users from '../../src/gen/users.js';
import * as voice from '../../src/gen/voice.js';
import type { Codec } from '../../src/wire/codec.js';

export const protocolFiles = readdirSync('proto').filter(
  (file) => file.endsWith('.proto') && !['options.proto', 'extension.proto'].includes(file),
);

/** proto/*.proto as protobufjs' own reflection understands it. */
export const protocolRoot = (options: protobuf.IParseOptions = {}): protobuf.Root => {
  const root = new protobuf.Root();
  for (const file of protocolFiles) protobuf.parse(readFileSync(`proto/${file}`, 'utf8'), root, options);
  root.resolveAll();
  return root;
};

/** Every message and enum below a namespace, nested ones too. */
export const allNested = (parent: protobuf.NamespaceBase): protobuf.ReflectionObject[] =>
  parent.nestedArray.flatMap((child) => [child, ...(child instanceof protobuf.Namespace ? allNested(child) : [])]);

export const messagesOf = (root: protobuf.Root): protobuf.Type[] =>
  allNested(root).filter((child) => child instanceof protobuf.Type);

export const nameOf = (reflected: protobuf.ReflectionObject): string => reflected.fullName.slice(1);

/** A codec whose message type is only known at run time. */
export type AnyCodec = Codec<unknown, never>;

const packages: readonly object[] = [
  ...[auth, billing, chats, communities, core, discovery, friends, media, messages, oauth],
  ...[reactions, refs, settings, stickers, types, updates, users, voice],
];

const isCodec = (exported: unknown): exported is AnyCodec =>
  typeof exported === 'object' && exported !== null && 'typeName' in exported;

export const codecs: ReadonlyMap<string, AnyCodec> = new Map(
  packages
    .flatMap((exports): unknown[] => Object.values(exports))
    .filter(isCodec)
    .map((codec) => [codec.typeName, codec]),
);
