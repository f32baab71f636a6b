import type { CommunityId, UserId } from './ids.js';

/** The scopes of `SealedFor` that several packages share. Content of a chat has the chat's key as its scope. */
export const communityScope = (community: CommunityId): string => `community.${community.toString()}`;
export const accountScope = (user: UserId): string => `account.${user.toString()}`;
