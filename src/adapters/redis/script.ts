import { createHash } from 'node:crypto';

export type Script = { readonly text: string; readonly sha: string };

export const luaScript = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') });

export const isUnknownScript = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('NOSCRIPT');
