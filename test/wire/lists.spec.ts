import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type protobuf from 'protobufjs';
import { sessionsMax } from '../../src/domain/accounts/decide.js';
import { rolesMax } from '../../src/domain/communities/limits.js';
import { membersListedMax } from '../../src/gateway/packages/communities/members/rpcs.js';
import { membershipsMax } from '../../src/gateway/packages/communities/membershipsLimit.js';
import { rpcTable, type AnyRpc } from '../../src/gen/rpcs.js';
import { UserSettings } from '../../src/gen/settings.js';
import { Message } from '../../src/gen/types.js';
import type { CommunityId } from '../../src/kernel/ids.js';
import { decode, encode, type Codec } from '../../src/wire/codec.js';
import { decodeRequest } from '../../src/wire/envelope.js';
import { fieldPaths, textOf, withField, type FieldPath } from '../support/fieldPaths.js';
import { protocolRoot } from './definitions.js';

const root = protocolRoot();

type List = { readonly rpc: AnyRpc; readonly path: FieldPath; readonly itemsMax: number; readonly name: string };

const endOf = (path: FieldPath): protobuf.Field => path.at(-1) ?? path[0];
const boundOf = (field: protobuf.Field): number => Number(field.options?.['(osmium.options.items_max)']);
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const lists: readonly List[] = Object.values(rpcTable).flatMap((rpc: AnyRpc) =>
  fieldPaths(root.lookupType(rpc.request.typeName), ({ repeated }) => repeated).map((path) => ({
    rpc,
    path,
    itemsMax: boundOf(endOf(path)),
    name: snakeCase(endOf(path).name),
  })),
);

const itemOf = ({ resolvedType, type }: protobuf.Field): unknown => {
  if (resolvedType !== null) return {};
  return type === 'fixed64' ? 1n : type === 'string' ? '' : new Uint8Array(0);
};

/** A request with so many items in the list. */
const holding = ({ rpc, path }: List, items: number): Uint8Array => {
  const value = withField({}, path, Array<unknown>(items).fill(itemOf(endOf(path))));
  // The table alone pairs requests with codecs.
  return encode(rpc.request as Codec<unknown, unknown>, value);
};

const outcomeOf = ({ rpc }: Pick<List, 'rpc'>, ...parts: readonly Uint8Array[]): string => {
  const decoded = decodeRequest(rpc, new Uint8Array(Buffer.concat(parts)));
  return decoded.ok ? 'ok' : `${decoded.fault}: ${decoded.reason}`;
};

const tooMany = ({ itemsMax, name }: List): string => `tooMany: at most ${itemsMax.toString()} ${name}`;

describe('a list in a request', () => {
  for (const list of lists) {
    it(`has a bound in ${list.rpc.path}, ${textOf(list.path)}`, () => {
      assert.equal(outcomeOf(list, holding(list, list.itemsMax)), 'ok');
      assert.equal(outcomeOf(list, holding(list, list.itemsMax + 1)), tooMany(list));
    });

    // The items of another list around it do not merge: each of them holds a list of its own.
    const together = list.path.slice(0, -1).some(({ repeated }) => repeated) ? 'ok' : tooMany(list);
    it(`counts as one when it comes in parts in ${list.rpc.path}, ${textOf(list.path)}, unless in another list`, () => {
      const rest = holding(list, list.itemsMax - 1);
      assert.equal(outcomeOf(list, holding(list, 1), rest), 'ok');
      assert.equal(outcomeOf(list, holding(list, 2), rest), together);
    });
  }

  it('of numbers counts also when they are not packed', () => {
    const rpc = rpcTable.authRevokeSessions;
    const id = Uint8Array.of(9, 1, 0, 0, 0, 0, 0, 0, 0);
    const ids = (items: number) => Array<Uint8Array>(items).fill(id);
    assert.equal(outcomeOf({ rpc }, ...ids(sessionsMax)), 'ok');
    assert.equal(outcomeOf({ rpc }, ...ids(sessionsMax + 1)), `tooMany: at most ${sessionsMax.toString()} session_ids`);
  });

  it('is refused before the item that is too many is read', () => {
    const [list] = lists.filter(({ rpc, name }) => rpc.name === 'messagesSendMessage' && name === 'entities');
    assert.ok(list);
    // An entity that says to be longer than the whole request.
    const cut = Uint8Array.of(0x2a, 0x7f);
    assert.match(outcomeOf(list, holding(list, list.itemsMax - 1), cut), /^malformed/);
    assert.equal(outcomeOf(list, holding(list, list.itemsMax), cut), tooMany(list));
  });

  it('has the bound that the rules have', () => {
    const bound = (name: string) => {
      const [type = '', field = ''] = name.split(/\.(?=\w+$)/);
      return boundOf(root.lookupType(`osmium.client.${type}`).get(field) as protobuf.Field);
    };
    assert.equal(bound('auth.RevokeSessions.sessionIds'), sessionsMax);
    assert.equal(bound('communities.CommunityMemberRoleIds.roleIds'), rolesMax);
    assert.equal(bound('communities.GetMembers.memberIds'), membersListedMax);
    assert.equal(bound('settings.UserSettings.CommunityOrder.communityIds'), membershipsMax);
  });

  it('does not come out of the generator without a bound', async () => {
    const { readProtocol } = (await import(pathToFileURL('scripts/generate/protocol.mjs').href)) as Generator;
    const protos = (change: (text: string) => string) =>
      readdirSync('proto').map((file) => ({ file, text: change(readFileSync(`proto/${file}`, 'utf8')) }));
    assert.doesNotThrow(() => readProtocol(protos((text) => text)));
    const without = protos((text) => text.replace('activities = 3 [(osmium.options.items_max) = 5]', 'activities = 3'));
    assert.throws(() => readProtocol(without), /a list in a request needs .*settings\.ChangeStatus\.activities/);
  });
});

describe('a list in a result', () => {
  it('has no bound, also where a request has the same', () => {
    const message = encode(Message, { entities: Array(1_000).fill({}) });
    const decoded = decode(Message, message);
    assert.equal(decoded.ok && decoded.value.entities.length, 1_000);
    const communityIds = Array<CommunityId>(1_000).fill(1n as CommunityId);
    const settings = decode(UserSettings, encode(UserSettings, { communityOrder: { communityIds } }));
    assert.equal(settings.ok && settings.value.communityOrder?.communityIds.length, 1_000);
  });
});

type Generator = {
  readonly readProtocol: (protos: readonly { readonly file: string; readonly text: string }[]) => unknown;
};
