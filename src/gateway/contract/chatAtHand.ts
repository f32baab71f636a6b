import { communityOf, type ChatKey } from '../../kernel/chat.js';
import { after } from '../../kernel/timing.js';
import type { Access } from './viewerPermissions.js';

/**
 * Looks at `access.now` about a chat once its community is in memory: at once where it is, where the chat has none, and
 * where none of its members is connected here.
 */
export const chatAtHand = <T>(
  { load, now }: Pick<Access, 'load' | 'now'>,
  key: ChatKey,
  look: () => T,
): T | Promise<T> => {
  const community = communityOf(key);
  const isAsked = community !== undefined && [...now.connectedMembers(community)].length > 0;
  return after(isAsked ? load(community, []) : undefined, look);
};
