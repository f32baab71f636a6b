import type { Fold } from '../../kernel/event.js';
import type { RoleId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import type { MemberEvent } from './events.js';

/** `joinings` counts how often they have joined; `removedIn` is the newest joining that a removal ended, 0 for none. */
export type MemberState =
  | { readonly status: 'outside'; readonly joinings: number; readonly removedIn: number }
  | {
      readonly status: 'member';
      readonly joinings: number;
      readonly removedIn: number;
      readonly nickname: Personal<string> | undefined;
      readonly roles: readonly RoleId[];
    };

export const evolve: Fold<MemberState, MemberEvent> = {
  MemberJoined: ({ removedIn }, { data }) => ({
    status: 'member',
    joinings: data.joining,
    removedIn,
    nickname: undefined,
    roles: [],
  }),
  MemberLeft: ({ joinings, removedIn }) => ({ status: 'outside', joinings, removedIn }),
  MemberRemoved: ({ joinings }) => ({ status: 'outside', joinings, removedIn: joinings }),
  NicknameSet: (state, { data }) => inside(state, { nickname: data.nickname }),
  NicknameCleared: (state) => inside(state, { nickname: undefined }),
  RolesSet: (state, { data }) => inside(state, { roles: data.roles }),
};

type Member = Extract<MemberState, { readonly status: 'member' }>;
const inside = (state: MemberState, change: Partial<Pick<Member, 'nickname' | 'roles'>>): MemberState =>
  state.status === 'member' ? { ...state, ...change } : state;
