import type { CommunityId, UserId } from './ids.js';

/**
 * The subject of an event, in `Metadata.about`: a chat key, `community.<id>`, `user.<id>`, or `nobody`. A node that has
 * no session with an interest in the topic skips the event before it parses the body.
 */
export const communityTopic = (community: CommunityId): string => `community.${community.toString()}`;
export const userTopic = (user: UserId): string => `user.${user.toString()}`;
/** For facts that are never sent to a client. */
export const nobody = 'nobody';
