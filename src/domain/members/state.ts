import type { SnapshotSpec } from '../../kernel/decider.js';
import type { Fold } from '../../kernel/event.js';
import { defined } from '../../kernel/defined.js';
import type { Millis, RoleId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import type { MemberEvent } from './events.js';

/** The part that outlasts their comings and goings. */
type Tenure = {
  /** How often they have joined. */
  readonly joinings: number;
  /** The newest joining that a removal ended, 0 for none. */
  readonly removedIn: number;
  /** Of their nickname; see `editPaid`. */
  readonly editsPaidUntil?: Millis;
};

export type MemberState =
  | (Tenure & { readonly status: 'outside' })
  | (Tenure & {
      readonly status: 'member';
      readonly nickname: Personal<string> | undefined;
      readonly roles: readonly RoleId[];
    });

export const initial: MemberState = { status: 'outside', joinings: 0, removedIn: 0 };

export const snapshots: SnapshotSpec = { name: 'memberStates', version: 2 };

export const evolve: Fold<MemberState, MemberEvent> = {
  MemberJoined: (state, { data }) => ({
    ...tenureOf(state),
    status: 'member',
    joinings: data.joining,
    nickname: undefined,
    roles: [],
  }),
  MemberLeft: (state) => ({ ...tenureOf(state), status: 'outside' }),
  MemberRemoved: (state) => ({ ...tenureOf(state), status: 'outside', removedIn: state.joinings }),
  NicknameSet: (state, { data: { nickname, editsPaidUntil } }) =>
    inside(state, { nickname, ...defined({ editsPaidUntil }) }),
  NicknameCleared: (state, { data: { editsPaidUntil } }) =>
    inside(state, { nickname: undefined, ...defined({ editsPaidUntil }) }),
  RolesSet: (state, { data }) => inside(state, { roles: data.roles }),
};

const tenureOf = ({ joinings, removedIn, editsPaidUntil }: MemberState): Tenure => ({
  joinings,
  removedIn,
  ...defined({ editsPaidUntil }),
});

type Member = Extract<MemberState, { readonly status: 'member' }>;
type Change = Partial<Pick<Member, 'nickname' | 'roles' | 'editsPaidUntil'>>;
const inside = (state: MemberState, change: Change): MemberState =>
  state.status === 'member' ? { ...state, ...change } : state;
