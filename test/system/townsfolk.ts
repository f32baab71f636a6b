import type { Deployment } from '../support/deployments.js';
import { permission } from '../../src/kernel/permissions.js';
import type { ChannelId, CommunityId, RoleId } from '../../src/kernel/ids.js';
import { audience, deafened, type Audience } from './audiences.js';
import type { Names } from './describe.js';
import { createChannel, createRole, found, join, savedMessages, say, withUser } from './places.js';
import { signIn, signUp, signUpWith, type Seat } from './seat.js';

/** Everybody of whom a test asks what they hear. */
export type Cast = {
  /** Owns the town; two sessions. */
  readonly alice: Seat;
  readonly alice2: Seat;
  /** A member who sees the secret channel. */
  readonly bob: Seat;
  /** Another session of his, without updates. */
  readonly deafBob: Seat;
  /** A member who does not see it. */
  readonly carl: Seat;
  /** No member, but in a direct chat with alice. */
  readonly dan: Seat;
  /** Knows nobody yet. */
  readonly eve: Seat;
  /** Knows nobody, ever. */
  readonly sue: Seat;
};
export type CastName = keyof Cast;

export type World = Cast & {
  readonly server: Where;
  readonly names: Names;
  readonly town: CommunityId;
  readonly general: ChannelId;
  /** Only bob and alice see it. */
  readonly secret: ChannelId;
  /** Bob's role. */
  readonly insider: RoleId;
  /** Nobody's role. */
  readonly helper: RoleId;
  /** Of people who come and go. */
  readonly comers: Map<string, Seat>;
  readonly listeners: Audience<CastName>;
};

export const everybody = 0n as RoleId;

/** Each connection may go to another node. */
type Where = Pick<Deployment, 'url'>;

const aliceLogin = { email: 'alice@example.org', password: 'correct horse' };
const bobLogin = { email: 'bob@example.org', password: 'battery staple' };

export const world = async (server: Where): Promise<World> => {
  const cast = await castOf(server);
  const { alice, bob, carl } = cast;
  const { community: town, general } = await found(alice, 'Town');
  await join(alice, { community: town, general }, bob, carl);
  const insider = await createRole(alice, town, { name: 'insider' });
  const helper = await createRole(alice, town, { name: 'helper', permissions: permission.deleteMessages });
  await alice.do('communitiesEditMember', { communityId: town, memberId: bob.user, roleIds: { roleIds: [insider] } });
  const secret = await createChannel(alice, town, { name: 'secret' });
  const where = { communityId: town, channelId: secret };
  const see = permission.viewChannel;
  await alice.do('communitiesCreateChannelOverride', { ...where, roleId: everybody, permissions: { neg: see } });
  await alice.do('communitiesCreateChannelOverride', { ...where, roleId: insider, permissions: { pos: see } });
  // Both have written, so each knows when the other is there.
  await say(cast.dan, withUser(alice), 'hello alice');
  await say(alice, withUser(cast.dan), 'hello dan');

  const things: readonly (readonly [bigint, string])[] = [
    [town, 'Town'],
    [general, 'general'],
    [secret, 'secret'],
    [insider, 'insider'],
    [helper, 'helper'],
  ];
  const names: Names = new Map([...things, ...Object.entries(cast).map(([name, { user }]) => [user, name] as const)]);
  names.set(alice.user, 'alice');
  names.set(bob.user, 'bob');
  const listeners = audience({ seats: cast, names, ignored: new Set(['userStatus']) });
  return { ...cast, server, names, comers: new Map(), town, general, secret, insider, helper, listeners };
};

const castOf = async (server: Where): Promise<Cast> => {
  const alice = await signUpWith(server.url, 'Alice', aliceLogin);
  const bob = await signUpWith(server.url, 'Bob', bobLogin);
  const cast = {
    alice,
    alice2: await signIn(server.url, aliceLogin),
    bob,
    deafBob: deafened(await signIn(server.url, bobLogin, { noSubscribe: true })),
    carl: await signUp(server.url, 'Carl'),
    dan: await signUp(server.url, 'Dan'),
    eve: await signUp(server.url, 'Eve'),
    sue: await signUp(server.url, 'Sue'),
  };
  // The first message there begins the chat, and that is told as well.
  await Promise.all(Object.values(cast).map((seat) => say(seat, savedMessages, 'to begin with')));
  return cast;
};

/** One more session of alice's. */
export const anotherAlice = ({ server }: World): Promise<Seat> => signIn(server.url, aliceLogin);
