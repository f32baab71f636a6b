import type { SessionInit } from '../../../gen/auth.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import type { Millis } from '../../../kernel/ids.js';
import { unless } from '../../../kernel/opened.js';
import { composedTrimmed } from '../../../kernel/text.js';
import type { SessionDocument } from '../../../projections/accounts/documents.js';

/** In UTF-16 code units. The upper bound keeps a password from being a way to make the server hash megabytes. */
export const passwordUnitsMin = 8;
export const passwordUnitsMax = 1024;
const emailUnitsMax = 254;
const emailForm = /^[^\s@]+@[^\s@]+\.[^\s@]+$/u;

export type EmailAddress = { readonly address: string; readonly normalised: string };

export const emailOf = (text: string): EmailAddress | Rejection => {
  const address = composedTrimmed(text, emailUnitsMax, 'NFKC');
  if (address.length > emailUnitsMax || !emailForm.test(address)) return reject('INVALID_EMAIL');
  return { address, normalised: address.toLowerCase() };
};

export const passwordOf = (text: string): string | Rejection =>
  text.length < passwordUnitsMin || text.length > passwordUnitsMax ? reject('INVALID_PASSWORD') : text;

export const sessionFor = (session: SessionDocument, lastActive: Millis): SessionInit => ({
  id: session.id,
  clientId: session.clientId,
  deviceType: unless(session.deviceType, ''),
  deviceVersion: unless(session.deviceVersion, ''),
  appVersion: unless(session.appVersion, ''),
  lastActive: BigInt(lastActive),
});
