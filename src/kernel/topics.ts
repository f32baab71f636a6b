import type { CommunityId, UserId } from './ids.js';

/**
 * What an event is about, in `Metadata.about`: a chat key, `community.<id>`, `user.<id>`, or `nobody`. A node that has
 * no session with an interest in the topic skips the event before it parses the body.
 */
export const communityTopic = (community: CommunityId): string => `community.${community.toString()}`;
export const userTopic = (user: UserId): string => `user.${user.toString()}`;
/** For facts of which no client is ever told. */
export const nobody = 'nobody';
