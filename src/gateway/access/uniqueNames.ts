import { accounts } from '../../domain/accounts/decide.js';
import { accountStream } from '../../domain/accounts/events.js';
import type { HeldName, NameKind } from '../../domain/reservations/commands.js';
import { reservations } from '../../domain/reservations/decide.js';
import { reservationStream } from '../../domain/reservations/events.js';
import { users } from '../../domain/users/decide.js';
import { userStream } from '../../domain/users/events.js';
import { ages } from '../../kernel/ages.js';
import { isRejection, type Rejection } from '../../kernel/decider.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { UserId } from '../../kernel/ids.js';
import type { Sealer } from '../../kernel/ports/sealer.js';
import type { OpenCall } from '../contract/call.js';

/** A claim that nobody came to carry within this time was left behind by a crash, and gives way. */
export const claimMillisMax = 60_000;

/** Claims of which a node remembers how old they are. */
const claimsMax = 10_000;

export type UniqueName = { readonly kind: NameKind; readonly key: string };

export interface UniqueNames {
  /** `normalised` must be the same for all spellings that count as one name. */
  nameOf(kind: NameKind, normalised: string): UniqueName;
  /** The holder of the name, whether or not they carry it yet. */
  holderOf(name: UniqueName): Promise<UserId | undefined>;
  /** Whether somebody carries the name, or claimed it less than `claimMillisMax` before `now` and may be about to. */
  isTaken(name: UniqueName, call: OpenCall): Promise<boolean>;
  /** Makes the name `holder`'s, or refuses because somebody else carries it. Claiming what one holds changes nothing. */
  claim(call: OpenCall, name: UniqueName, holder: UserId): Promise<Rejection | undefined>;
  /** The claim that somebody has on the name now. */
  claimOn(name: UniqueName): Promise<HeldName | undefined>;
  /** Gives up this claim, and none that was made since. */
  release(call: OpenCall, held: HeldName): Promise<void>;
}

type Needs = { readonly streams: Pick<FoldedStreams, 'caughtUp'>; readonly sealer: Pick<Sealer, 'lookupHash'> };

/**
 * Names that only one may have. A name is reserved in its own stream, then carried by an account or profile. There is
 * no third step: the claim holds because the name is carried, so a crash between the two leaves nothing to repair.
 */
export const uniqueNames = ({ streams, sealer }: Needs): UniqueNames => {
  const claimAges = ages(claimsMax);

  const stateOf = async ({ kind, key }: UniqueName) =>
    (await streams.caughtUp(reservationStream(kind, key), reservations)).state;

  const isCarried = async ({ kind, key }: UniqueName, holder: UserId): Promise<boolean> => {
    if (kind === 'email') {
      const { state } = await streams.caughtUp(accountStream(holder), accounts);
      return state.status === 'registered' && state.emailKeys.includes(key);
    }
    const { state } = await streams.caughtUp(userStream(holder), users);
    return state.status === 'registered' && state.username?.key === key;
  };

  const claimOn = async (name: UniqueName): Promise<HeldName | undefined> => {
    const state = await stateOf(name);
    return state.status === 'free' ? undefined : { ...name, holder: state.holder, claimedAt: state.at };
  };

  const abandoned = async (name: UniqueName, call: OpenCall): Promise<HeldName | undefined> => {
    const held = await claimOn(name);
    if (held === undefined || claimAges.of(claimName(held), held.claimedAt, call) < claimMillisMax) return undefined;
    return (await isCarried(name, held.holder)) ? undefined : held;
  };

  const claimOnce = async (call: OpenCall, name: UniqueName, holder: UserId): Promise<Rejection | undefined> => {
    const command = { type: 'ClaimName', data: { ...name, holder, at: call.now } } as const;
    const outcome = await call.run(reservations, command, { actor: holder });
    if (isRejection(outcome)) return outcome;
    for (const { type, data } of outcome.events) {
      if (type === 'NameClaimed') claimAges.begin(claimName({ ...name, claimedAt: data.at }), call);
    }
    return undefined;
  };

  const release = async (call: OpenCall, held: HeldName, actor: UserId): Promise<void> => {
    await call.run(reservations, { type: 'ReleaseName', data: held }, { actor });
  };

  return {
    claimOn,
    release: (call, held) => release(call, held, held.holder),
    nameOf: (kind, normalised) => ({ kind, key: sealer.lookupHash(`${kind}:${normalised}`) }),
    holderOf: async (name) => {
      return (await claimOn(name))?.holder;
    },
    isTaken: async (name, call) => (await claimOn(name)) !== undefined && (await abandoned(name, call)) === undefined,
    claim: async (call, name, holder) => {
      const refused = await claimOnce(call, name, holder);
      if (refused === undefined) return undefined;
      const left = await abandoned(name, call);
      if (left === undefined) return refused;
      await release(call, left, holder);
      return claimOnce(call, name, holder);
    },
  };
};

/** A claim made again is another one. */
const claimName = ({ kind, key, claimedAt }: UniqueName & Pick<HeldName, 'claimedAt'>): string =>
  `${kind} ${key} ${claimedAt.toString()}`;
