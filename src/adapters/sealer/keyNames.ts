// Joined, because a text that is made by a template keeps its parts for as long as it is kept itself.
/** The key of what an author wrote in a month. */
export const authorKeyName = (subject: string, period: string): string => ['author', subject, period].join('.');
/** The key of a chat, community or account. */
export const scopeKeyName = (scope: string): string => ['scope', scope].join('.');
