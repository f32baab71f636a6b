import type { Fold, Personal } from '../../kernel/event.js';
import type { RoleId } from '../../kernel/ids.js';
import type { MemberEvent } from './events.js';

/** `joinings` counts how often they have joined. */
export type MemberState =
  | { readonly status: 'outside'; readonly joinings: number }
  | {
      readonly status: 'member';
      readonly joinings: number;
      readonly nickname: Personal<string> | undefined;
      readonly roles: readonly RoleId[];
    };

export const evolve: Fold<MemberState, MemberEvent> = {
  'members.MemberJoined.v1': (_, { data }) => ({
    status: 'member',
    joinings: data.joining,
    nickname: undefined,
    roles: [],
  }),
  'members.MemberLeft.v1': ({ joinings }) => ({ status: 'outside', joinings }),
  'members.NicknameSet.v1': (state, { data }) => inside(state, { nickname: data.nickname }),
  'members.NicknameCleared.v1': (state) => inside(state, { nickname: undefined }),
  'members.RolesSet.v1': (state, { data }) => inside(state, { roles: data.roles }),
};

type Member = Extract<MemberState, { readonly status: 'member' }>;
const inside = (state: MemberState, change: Partial<Pick<Member, 'nickname' | 'roles'>>): MemberState =>
  state.status === 'member' ? { ...state, ...change } : state;
