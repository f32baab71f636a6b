import { toASCII, toUnicode } from 'tr46';
import isEmail from 'validator/lib/isEmail.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import { composed, composedTrimmed, halfWidth } from '../../../kernel/text.js';

/** Of an address as it was typed and in its canonical form, in UTF-16 code units. */
export const emailUnitsMax = 254;

export type EmailAddress = {
  /** For the owner to see: the mailbox in their own spelling, the host in its own script. */
  readonly address: string;
  /** The same for all spellings of one address: lower case, composed (NFC), the host in ASCII. Only one account has it. */
  readonly canonical: string;
  /** The other forms, at most two, under which an account of a release up to 0.1 may have it until it signs in. */
  readonly former: readonly string[];
};

/** Refuses with `INVALID_EMAIL` a text that has no canonical form. */
export const emailOf = (text: string): EmailAddress | Rejection => {
  const trimmed = composedTrimmed(text, emailUnitsMax);
  if (trimmed.length > emailUnitsMax) return reject('INVALID_EMAIL');
  const typed = composed(halfWidth(trimmed), emailUnitsMax);
  const at = typed.lastIndexOf('@');
  const [mailbox, host] = [typed.slice(0, Math.max(at, 0)), toASCII(typed.slice(at + 1), hostRules)];
  if (host === null || !isMailbox(mailbox)) return reject('INVALID_EMAIL');
  const canonical = `${composed(mailbox.toLowerCase(), emailUnitsMax)}@${host}`;
  if (!isEmail.default(canonical)) return reject('INVALID_EMAIL');
  const address = `${mailbox}@${toUnicode(host, hostRules).domain}`;
  return { address, canonical, former: distinct(formerly(address), formerly(text)).filter((one) => one !== canonical) };
};

// The tables of `tr46` are those in the lock file, so they are the same on all nodes, independent of the Unicode
// version of Node.
const hostRules = { checkBidi: true, checkJoiners: true, useSTD3ASCIIRules: true, verifyDNSLength: true };

const mailboxForm = /^[a-z0-9!#$%&'*+/=?^_`{|}~.\-\p{L}\p{M}\p{N}]+$/iu;
const invisible = /\p{Default_Ignorable_Code_Point}/u;

// A mailbox that NFKC would change looks like another one. The validator would take it, and invisible characters.
const isMailbox = (mailbox: string): boolean =>
  mailboxForm.test(mailbox) && !invisible.test(mailbox) && composed(mailbox, emailUnitsMax, 'NFKC') === mailbox;

const formerForm = /^[^\s@]+@[^\s@]+\.[^\s@]+$/u;

/** The form in which the releases up to 0.1 compared addresses; undefined where they refused the text. */
const formerly = (text: string): string | undefined => {
  const address = composedTrimmed(text, emailUnitsMax, 'NFKC');
  return address.length <= emailUnitsMax && formerForm.test(address) ? address.toLowerCase() : undefined;
};

const distinct = (...forms: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(forms.filter((form) => form !== undefined)),
];

/**
 * The forms under which an account may have an address that was typed, at most three, with the canonical one first. An
 * account of a former release may have one that is no address any more.
 */
export const formsOf = (text: string): readonly string[] => {
  const email = emailOf(text);
  return isRejection(email) ? distinct(formerly(text)) : [email.canonical, ...email.former];
};
