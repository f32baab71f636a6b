import type { UserId } from '../../../kernel/ids.js';

/** Where a user's password is in the vault. */
export const passwordName = (user: UserId): string => `password.${user.toString()}`;
