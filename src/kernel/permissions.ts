import type { ChannelId, RoleId } from './ids.js';

/** Bits of a community permission, as on the wire. */
export const permission = {
  administrator: 1n,
  viewChannel: 2n,
  sendMessages: 4n,
  connectVoice: 8n,
  modifyChannel: 16n,
  sendMedia: 32n,
  deleteMessages: 64n,
  pinMessages: 128n,
  speakVoice: 256n,
  modifyCommunity: 512n,
  modifyRoles: 1024n,
  removeMembers: 2048n,
  addReactions: 4096n,
  modifyLinkedStickers: 8192n,
} as const;
export type PermissionName = keyof typeof permission;

/** Every bit that the protocol defines. */
export const allPermissions = 16383n;

/** The permissions that a new community gives to everybody: view, send, connect, media, speak, react. */
export const usualPermissions = 4398n;

export const has = (permissions: bigint, name: PermissionName): boolean => (permissions & permission[name]) !== 0n;

export type Override = { readonly role: RoleId; readonly pos: bigint; readonly neg: bigint };

/** The fields of a channel that say which overrides count in it. */
export type OverriddenChannel = {
  readonly kind: string;
  readonly parent?: ChannelId;
  /** Whether it follows its category. */
  readonly synced: boolean;
  readonly overrides: readonly Override[];
};

/**
 * The overrides that count in a channel: those of its category while it follows the category, otherwise its own. A
 * channel that follows has none of its own, so none count where its parent is gone or is no category.
 */
export const overridesThatCount = (
  channel: OverriddenChannel,
  channelBy: (id: ChannelId) => OverriddenChannel | undefined,
): readonly Override[] => {
  const parent = channel.synced && channel.parent !== undefined ? channelBy(channel.parent) : undefined;
  return parent?.kind === 'category' ? parent.overrides : channel.overrides;
};

/** A member's standing in a community, for the arithmetic below. */
export type MemberRoles = { readonly owner: boolean; readonly roles: readonly RoleId[] };

/** Default permissions and those of all roles; the owner and administrators have every bit. */
export const communityPermissions = (
  standing: MemberRoles,
  base: bigint,
  rolePermissions: readonly bigint[],
): bigint => {
  if (standing.owner) return allPermissions;
  const granted = rolePermissions.reduce((sum, bits) => sum | bits, base) & allPermissions;
  return has(granted, 'administrator') ? allPermissions : granted;
};

/**
 * Permissions in one channel: first the override for everybody (role 0 or the community's own id), then those of the
 * member's roles together, denials before grants. The owner and administrators are above overrides.
 */
export const channelPermissions = (
  granted: bigint,
  standing: MemberRoles,
  overrides: readonly Override[],
  everybody: RoleId,
): bigint => {
  if (has(granted, 'administrator')) return granted;
  const forEverybody = overrides.filter(({ role }) => role === 0n || role === everybody);
  const forRoles = overrides.filter(({ role }) => role !== 0n && role !== everybody && standing.roles.includes(role));
  return [forEverybody, forRoles].reduce(overridden, granted);
};

const overridden = (permissions: bigint, overrides: readonly Override[]): bigint => {
  const neg = overrides.reduce((sum, override) => sum | override.neg, 0n);
  const pos = overrides.reduce((sum, override) => sum | override.pos, 0n);
  return ((permissions & ~neg) | pos) & allPermissions;
};

/** The wire sends channel permissions as a difference: effective = (community & ~neg) | pos. */
export const difference = (community: bigint, channel: bigint): { readonly pos: bigint; readonly neg: bigint } => ({
  pos: channel & ~community,
  neg: community & ~channel,
});
