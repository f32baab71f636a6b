import type { AccountEvent } from '../../domain/accounts/events.js';
import * as accounts from '../../domain/accounts/state.js';
import type { CommunityEvent } from '../../domain/communities/events.js';
import * as communities from '../../domain/communities/state.js';
import type { MemberEvent } from '../../domain/members/events.js';
import * as members from '../../domain/members/state.js';
import type { StickerPackEvent } from '../../domain/stickers/events.js';
import * as stickers from '../../domain/stickers/state.js';
import type { UserEvent } from '../../domain/users/events.js';
import * as users from '../../domain/users/state.js';
import type { Snapshot, SnapshotSpec } from '../../kernel/decider.js';
import type { DocumentFold, DocumentKeys, DocumentType } from '../../kernel/document.js';
import { apply, type Event, type Fold, type Recorded } from '../../kernel/event.js';

type Folding<State, E extends Event> = {
  readonly initial: State;
  readonly evolve: Fold<State, E>;
  readonly snapshots: SnapshotSpec;
};

/** Keyed by the stream; folded by the rules' own `evolve`, so that it is the state on which commands are decided. */
const snapshotsOf = <State, E extends Event>({
  initial,
  evolve,
  snapshots,
}: Folding<State, E>): DocumentType<Snapshot<State>, E> => {
  const types = Object.keys(evolve);
  const key = ({ stream }: Recorded): readonly string[] => [stream];
  const line = (before: Snapshot<State> | undefined, event: Recorded<E>): Snapshot<State> => ({
    state: apply(evolve, before?.state ?? initial, event),
    revision: event.revision,
  });
  return {
    ...snapshots,
    // The keys of a fold are the types of its events, and all of them have the same line.
    keys: Object.fromEntries(types.map((type) => [type, key])) as unknown as DocumentKeys<E>,
    streams: (stream) => [stream],
    indexes: {},
    evolve: Object.fromEntries(types.map((type) => [type, line])) as unknown as DocumentFold<Snapshot<State>, E>,
  };
};

export const accountStates = snapshotsOf<accounts.AccountState, AccountEvent>(accounts);
export const communityStates = snapshotsOf<communities.CommunityState, CommunityEvent>(communities);
export const memberStates = snapshotsOf<members.MemberState, MemberEvent>(members);
export const stickerPackStates = snapshotsOf<stickers.StickerPackState, StickerPackEvent>(stickers);
export const userStates = snapshotsOf<users.UserState, UserEvent>(users);
