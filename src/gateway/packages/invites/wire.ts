import { InviteType, type InvitePreviewInit } from '../../../gen/auth.js';
import type { ChannelRef, ChatRef } from '../../../gen/refs.js';
import type { CommunityInit, UserInit } from '../../../gen/types.js';
import { reject, type Rejection } from '../../../kernel/decider.js';
import type { CommunityId, Millis } from '../../../kernel/ids.js';
import type { Random } from '../../../kernel/ports/system.js';
import { halfWidth } from '../../../kernel/text.js';
import type { InviteDocument } from '../../../projections/invites/documents.js';

/** No letter or digit that is easily taken for another. 32 of them, so that each stands for five random bits. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
/** 60 random bits: nobody meets a code by trying. */
export const codeCharacters = 12;

/** Unpredictable, because everybody who knows a code may come in. */
export const newCode = (random: Random): string =>
  Array.from(random.bytes(codeCharacters), (byte) => alphabet.charAt(byte % alphabet.length)).join('');

const codeForm = new RegExp(`^[${alphabet}]{${codeCharacters.toString()}}$`);
/** A code is copied with blanks around it at times. A text beyond this is not looked at. */
const codeTypedUnitsMax = 4 * codeCharacters;

/** The code that was typed, in any case and width; undefined when it is none of ours, and so not looked for. */
export const codeTyped = (text: string): string | undefined => {
  if (text.length > codeTypedUnitsMax) return undefined;
  const code = halfWidth(text.trim()).toLowerCase();
  return codeForm.test(code) ? code : undefined;
};

/** Invites are made for a place. So far only channels are one, and stand for their community. */
export const invitedTo = (ref: ChatRef | undefined): ChannelRef | Rejection => {
  if (ref?.channel !== undefined) return ref.channel;
  if (ref?.group !== undefined) return reject('NOT_IMPLEMENTED', 'invites into groups are not built yet');
  if (ref?.user !== undefined || ref?.self !== undefined) {
    return reject('NOT_IMPLEMENTED', 'personal invites are not built yet');
  }
  return reject('INVALID_ARGUMENT', 'chat_ref is missing');
};

/** Times below this are seconds, all others milliseconds: clients disagree. It is the year 1973 in milliseconds. */
const secondsBelow = 100_000_000_000n;
/** The last time that a Date can hold. */
const millisMax = 8_640_000_000_000_000n;

export type InviteLimits = { readonly expiresAt?: Millis; readonly maxUses?: number };

/** 0 sets no limit, as if it were left out. */
export const limitsOf = (request: {
  readonly expiresAt?: bigint | undefined;
  readonly maxUses?: number | undefined;
}): InviteLimits | Rejection => {
  const { expiresAt: time = 0n, maxUses = 0 } = request;
  const millis = time < secondsBelow ? time * 1000n : time;
  if (millis > millisMax) return reject('INVALID_ARGUMENT', 'expires_at is too far away');
  return {
    ...(millis === 0n ? {} : { expiresAt: Number(millis) as Millis }),
    ...(maxUses === 0 ? {} : { maxUses }),
  };
};

export const previewOf = (
  invite: InviteDocument,
  target: { readonly id: CommunityId; readonly code: string; readonly community: CommunityInit },
  creator: UserInit | undefined,
): InvitePreviewInit => ({
  code: target.code,
  creatorId: invite.creator,
  targetId: target.id,
  targetType: InviteType.COMMUNITY,
  expiresAt: invite.expiresAt === undefined ? undefined : BigInt(invite.expiresAt),
  creator,
  community: target.community,
});
