import type { SessionDevice } from '../../../domain/accounts/commands.js';
import type { SessionInit } from '../../../gen/auth.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import type { Millis } from '../../../kernel/ids.js';
import { unless } from '../../../kernel/opened.js';
import { isFreeform, opaqueString } from '../../../kernel/opaqueString.js';
import { passwordUnitsMax, passwordUnitsMin, type CommonPasswords } from '../../../kernel/ports/system.js';
import type { SessionDocument } from '../../../projections/accounts/documents.js';

/** A new password, prepared for hashing. The bounds hold for it as prepared. Passwords that accounts have are not judged. */
export const newPasswordOf = async (common: CommonPasswords, text: string): Promise<string | Rejection> => {
  const password = opaqueString(text, passwordUnitsMax);
  if (password === undefined || password.length < passwordUnitsMin || !isFreeform(password)) {
    return reject('INVALID_PASSWORD');
  }
  return (await common.has(password)) ? reject('COMMON_PASSWORD') : password;
};

/**
 * The texts that may have been hashed for a typed password: the prepared form, and the text as it was typed, which the
 * releases up to 0.1 hashed. Mostly these are the same. Empty for a password that is longer than any can be.
 */
export const hashedForms = (text: string): readonly string[] => {
  const typed = text.length > passwordUnitsMax ? undefined : text;
  return [...new Set([opaqueString(text, passwordUnitsMax), typed])].filter((form) => form !== undefined);
};

/** `named`: the device that it named last, where that is not written yet. */
export const sessionFor = (
  session: SessionDocument,
  lastActive: Millis,
  named: SessionDevice | undefined,
): SessionInit => ({
  id: session.id,
  clientId: session.clientId,
  deviceType: unless(session.deviceType, ''),
  deviceVersion: unless(session.deviceVersion, ''),
  appVersion: unless(session.appVersion, ''),
  ...named,
  lastActive: BigInt(lastActive),
});
