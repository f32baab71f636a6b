import type { Command } from '../../kernel/decider.js';
import type { CommunityId, Millis, RoleId, UserId } from '../../kernel/ids.js';

export type MemberCommand = JoinCommunity | LeaveCommunity | EditMember;

type About = { readonly community: CommunityId; readonly user: UserId };

/** `joining`: the how-manieth joining of this user it is, from 1. So asking again does not bring back who has left since. */
export type JoinCommunity = Command<
  'JoinCommunity',
  About & { readonly joining: number } & (
      { readonly via: 'founding'; readonly invite?: never } | { readonly via: 'invite'; readonly invite: string }
    )
>;

export type LeaveCommunity = Command<'LeaveCommunity', About & { readonly owner: boolean }>;

/** Fields that are left out stay as they are; an empty nickname is removed; `roles` replaces all. */
export type EditMember = Command<
  'EditMember',
  About & {
    readonly by: MemberAsker;
    /** The member's own rank: above everything for the owner. */
    readonly rank: number;
    readonly at: Millis;
    readonly nickname?: string;
    readonly roles?: readonly RoleId[];
    /** All roles that the community has. */
    readonly communityRoles: readonly KnownRole[];
  }
>;

/**
 * The user who asks. `rank` is the priority of their highest role, -1 without any, above every priority for the owner.
 */
export type MemberAsker = {
  readonly user: UserId;
  readonly owner: boolean;
  readonly permissions: bigint;
  readonly rank: number;
};
export type KnownRole = { readonly id: RoleId; readonly priority: number; readonly permissions: bigint };
