/** The key of what an author wrote in a month. */
export const authorKeyName = (subject: string, period: string): string => `author.${subject}.${period}`;
/** The key of a chat, community or account. */
export const scopeKeyName = (scope: string): string => `scope.${scope}`;
