import type { Entity } from '../../../../domain/messages/events.js';
import { byKind, peerOf, type Chat, type ChatKey, type ChatOf } from '../../../../kernel/chat.js';
import { reject, type Rejection } from '../../../../kernel/decider.js';
import type { UserId } from '../../../../kernel/ids.js';
import { usernameCharactersMax, usernameKeyed, usernameTyped } from '../../../../kernel/username.js';
import { coveredBy } from '../../../rendering/entities.js';
import { costs, type Meter } from '../../../contract/meter.js';
import { turnOf } from '../../../contract/meteredReads.js';
import type { UniqueNames } from '../../../access/uniqueNames.js';
import type { Access } from '../../../contract/viewerPermissions.js';
import type { Written } from '../contentBytes.js';

/** Users that one message may name. */
export const mentionsMax = 50;

export type MentionNeeds = { readonly access: Access; readonly names: Pick<UniqueNames, 'nameOf' | 'holderOf'> };

type Named = { readonly ids: ReadonlySet<UserId>; readonly usernames: ReadonlySet<string> };

/** Where somebody is named, and by whom. */
export type Naming = { readonly key: ChatKey; readonly place: Chat; readonly author: UserId; readonly meter: Meter };

/** Each that is named is charged before they are looked for. Whom a text names: those who can see the chat, without its author. A name that is nobody's is only text. */
export const mentionsIn = (
  needs: MentionNeeds,
  written: Written,
  naming: Naming,
): readonly UserId[] | Rejection | Promise<readonly UserId[]> => {
  const named = namedIn(written);
  const count = named.ids.size + named.usernames.size;
  if (count > mentionsMax) return reject('TOO_MANY', `a message names at most ${mentionsMax.toString()} users`);
  if (count === 0) return [];
  return turnOf(naming.meter, costs.document * count).then(() => othersNamed(needs, named, naming));
};

// The wire has no field for the id: it is the text.
const idForm = /^@?([1-9]\d{0,19})$/;
const idMax = 2n ** 64n - 1n;

const namedIn = ({ text, entities }: Written): Named => {
  const ids = new Set<UserId>();
  const usernames = new Set<string>();
  for (const entity of entities) {
    const id = idIn(entity, text);
    if (id !== undefined) ids.add(id);
    const username = usernameIn(entity, text);
    if (username !== undefined) usernames.add(usernameKeyed(username));
  }
  return { ids, usernames };
};

const usernameIn = (entity: Entity, text: string): string | undefined => {
  if (entity.kind !== 'username' || entity.length > usernameCharactersMax + 1) return undefined;
  return usernameTyped(coveredBy(entity, text).replace(/^[@＠]/, ''));
};

const idIn = (entity: Entity, text: string): UserId | undefined => {
  const digits = entity.kind === 'userMention' ? idForm.exec(coveredBy(entity, text))?.[1] : undefined;
  if (digits === undefined) return undefined;
  const id = BigInt(digits);
  // Any number could be somebody's id; whether it is one is seen when they are looked for.
  return id > idMax ? undefined : (id as UserId);
};

const othersNamed = (
  needs: MentionNeeds,
  named: Named,
  naming: Naming,
): readonly UserId[] | Promise<readonly UserId[]> =>
  byKind<readonly UserId[] | Promise<readonly UserId[]>>(naming.place, {
    channel: (place) => seeing(needs, named, { ...naming, place }),
    direct: async (place) => {
      const peer = peerOf(place, naming.author);
      return (await usersIn(needs, named)).filter((user) => user === peer);
    },
    // Nobody but the author reads saved messages, and nobody is known to be in a group.
    self: () => [],
    group: () => [],
  });

const usersIn = async ({ names }: MentionNeeds, { ids, usernames }: Named): Promise<readonly UserId[]> => {
  const holders = await Promise.all(
    [...usernames].map((username) => names.holderOf(names.nameOf('username', username))),
  );
  return [...new Set([...ids, ...holders.filter((holder) => holder !== undefined)])];
};

type NamingInChannel = Naming & { readonly place: ChatOf<'channel'> };

const seeing = async (
  needs: MentionNeeds,
  named: Named,
  { key, place, author }: NamingInChannel,
): Promise<readonly UserId[]> => {
  const { access } = needs;
  const others = (await usersIn(needs, named)).filter((user) => user !== author);
  const loading = access.load(place.community, others);
  if (loading !== undefined) await loading;
  return others.filter((user) => access.now.maySee(key, user));
};
