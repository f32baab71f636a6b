/**
 * Every way in which the server refuses, with its wire code. docs/errors.md is held to this table by a test.
 * Codes follow HTTP's; `temporary` means that the same request may succeed later, unchanged.
 */
export type ReasonInfo = { readonly code: number; readonly says: string; readonly temporary?: true };

const table = {
  MALFORMED: { code: 400, says: 'the request is not a valid message' },
  INVALID_ARGUMENT: { code: 400, says: 'a field has a value that is not allowed' },
  EMPTY_MESSAGE: { code: 400, says: 'a message needs something to see' },
  MESSAGE_TOO_LONG: { code: 413, says: 'the text is too long' },
  INVALID_ENTITIES: { code: 400, says: 'an entity is out of range or has no kind' },
  INVALID_BUTTONS: { code: 400, says: 'a button is out of its bounds, or has no action' },
  INVALID_NAME: { code: 400, says: 'the name shows nothing, is too long or has characters that names must not have' },
  INVALID_USERNAME: { code: 400, says: 'the username has a form that is not allowed' },
  INVALID_EMAIL: { code: 400, says: 'the e-mail address has a form that is not allowed' },
  INVALID_PASSWORD: {
    code: 400,
    says: 'the password is too short or too long, or has characters that passwords must not have',
  },
  COMMON_PASSWORD: {
    code: 400,
    says: 'the password is one of the commonest, which are tried first: choose another one',
  },
  NOT_A_TEXT_CHAT: { code: 400, says: 'this kind of channel has no messages' },
  INVALID_UPLOAD: { code: 400, says: 'no file can be made of the upload' },
  INVALID_PICTURE: { code: 400, says: 'no picture can be made of the upload' },
  INVALID_PARENT: { code: 400, says: 'the parent must be a category of the same community' },
  CONFLICTING_BITS: { code: 400, says: 'a permission is both granted and denied' },
  NOT_AUTHORIZED: { code: 401, says: 'sign in or authorize first' },
  INVALID_CREDENTIALS: { code: 403, says: 'unknown e-mail address or wrong password' },
  INVALID_TOKEN: { code: 403, says: 'the token is unknown or has been revoked' },
  MISSING_PERMISSION: { code: 403, says: 'you do not have the permission' },
  FILE_REFUSED: { code: 403, says: 'the scanner of this server refuses the file' },
  NOT_A_BOT: { code: 403, says: 'only bots may do this' },
  BOT_NOT_ADDRESSED: {
    code: 403,
    says: 'a bot writes only to users who have written to it or share a community with it',
  },
  NOT_AUTHOR: { code: 403, says: 'only the author may do this' },
  NOT_EDITABLE: { code: 403, says: 'nobody may edit this message' },
  NOT_OWNER: { code: 403, says: 'only the owner may do this' },
  OWNER_CANNOT_LEAVE: { code: 403, says: 'the owner cannot leave the community' },
  OUTRANKED: { code: 403, says: 'your highest role is not above theirs' },
  BANNED: { code: 403, says: 'you are banned from this community' },
  NOT_FOUND: { code: 404, says: 'not found, or not visible to you' },
  CHAT_NOT_FOUND: { code: 404, says: 'no such chat, or not visible to you' },
  MESSAGE_NOT_FOUND: { code: 404, says: 'no such message in this chat' },
  USER_NOT_FOUND: { code: 404, says: 'no such user' },
  COMMUNITY_NOT_FOUND: { code: 404, says: 'no such community, or you are not a member' },
  CHANNEL_NOT_FOUND: { code: 404, says: 'no such channel, or not visible to you' },
  ROLE_NOT_FOUND: { code: 404, says: 'no such role' },
  MEMBER_NOT_FOUND: { code: 404, says: 'no such member' },
  FILE_NOT_FOUND: { code: 404, says: 'no such file, or not visible to you' },
  INVITE_NOT_FOUND: { code: 404, says: 'the invite is unknown, expired or used up' },
  EMOJI_NOT_FOUND: { code: 404, says: 'no such custom emoji, or not one that you can use' },
  STICKER_PACK_NOT_FOUND: { code: 404, says: 'no such pack, or not of a community that you are in' },
  INTERACTION_NOT_FOUND: { code: 404, says: 'no such press waits for you, or not any more' },
  EMAIL_TAKEN: { code: 409, says: 'the e-mail address belongs to another account' },
  USERNAME_TAKEN: { code: 409, says: 'the username belongs to somebody else' },
  EMOJI_NAME_TAKEN: { code: 409, says: 'another emoji of the pack has this name' },
  TOO_MANY_PINS: { code: 409, says: 'the chat has as many pinned messages as it may have' },
  UPLOAD_ENDED: { code: 409, says: 'the upload has become a file or has expired' },
  CONFLICT: { code: 409, says: 'somebody else changed this at the same moment', temporary: true },
  TOO_LARGE: { code: 413, says: 'the request is too large' },
  TOO_MANY: { code: 413, says: 'the limit on how many there may be is reached' },
  UPLOADED_TOO_MUCH: { code: 413, says: 'you have uploaded as much as a user may in a day', temporary: true },
  SLOWMODE: { code: 429, says: 'slow mode is on in this channel', temporary: true },
  RATE_LIMITED: { code: 429, says: 'too many requests', temporary: true },
  FILE_DAMAGED: { code: 500, says: 'the stored bytes of the file are damaged or missing' },
  INTERNAL: { code: 500, says: 'something went wrong on our side', temporary: true },
  NOT_IMPLEMENTED: { code: 501, says: 'this server does not know the request' },
  UNAVAILABLE: { code: 503, says: 'the server cannot serve this right now', temporary: true },
} as const satisfies Record<string, ReasonInfo>;

export type Reason = keyof typeof table;
export const reasons: Readonly<Record<Reason, ReasonInfo>> = table;
export const isTemporary = (reason: Reason): boolean => reasons[reason].temporary === true;
