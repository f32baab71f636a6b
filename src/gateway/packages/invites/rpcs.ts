import type { CreateChatInvite, UseInvite } from '../../../domain/invites/commands.js';
import { invites } from '../../../domain/invites/decide.js';
import { joiningId, members } from '../../../domain/members/decide.js';
import { memberStream } from '../../../domain/members/events.js';
import type { InvitePreviewInit } from '../../../gen/auth.js';
import { nothing, type Nothing } from '../../../gen/rpcs.js';
import { channelChat, type ChatKey } from '../../../kernel/chat.js';
import { isRejection, reject, type Rejection } from '../../../kernel/decider.js';
import type { FoldedStreams } from '../../../kernel/foldedStreams.js';
import type { CommunityId, Millis } from '../../../kernel/ids.js';
import type { Sealer } from '../../../kernel/ports/sealer.js';
import type { Random } from '../../../kernel/ports/system.js';
import { community } from '../../../projections/communities/queries.js';
import type { InviteDocument } from '../../../projections/invites/documents.js';
import { invite } from '../../../projections/invites/queries.js';
import type { Reads } from '../../../projections/reading/queries.js';
import { user } from '../../../projections/users/queries.js';
import { refusedAnother } from '../communities/membershipsLimit.js';
import { askedInChannel } from '../../access/askedAtAppend.js';
import { soonerOrLater } from '../../access/soonerOrLater.js';
import { userFor } from '../../rendering/user.js';
import { communityFor } from '../../rendering/community.js';
import type { Call, OpenCall } from '../../contract/call.js';
import { meteredReads } from '../../contract/meteredReads.js';
import type { Handlers } from '../../contract/handlers.js';
import type { Access } from '../../contract/viewerPermissions.js';
import { isAlive, placeOfInvite, refusedInvite, type Place } from './alive.js';
import { codeTyped, invitedTo, limitsOf, newCode, previewOf } from './wire.js';

export type InviteNeeds = {
  readonly access: Access;
  readonly reads: Reads;
  readonly random: Random;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly sealer: Pick<Sealer, 'lookupHash'>;
};

type InviteRpcs = 'authLookupInvite' | 'authUseInvite' | 'chatsCreateChatInvite';

export const inviteRpcs = (needs: InviteNeeds): Handlers<InviteRpcs> => ({
  async authLookupInvite({ code }, call) {
    const open = await openInvite(needs, call, code);
    const preview = open && (await previewed(needs, call, open));
    return preview === undefined ? reject('INVITE_NOT_FOUND') : { invitePreview: preview };
  },

  async authUseInvite({ code }, call) {
    const found = await soonerOrLater(call, invitesRead, () => inviteInto(needs, code));
    return found === undefined ? reject('INVITE_NOT_FOUND') : join(needs, call, found);
  },

  async chatsCreateChatInvite({ chatRef, ...limits }, call) {
    const ref = invitedTo(chatRef);
    if (isRejection(ref)) return ref;
    const limited = limitsOf(limits);
    if (isRejection(limited)) return limited;
    const { communityId, channelId } = ref;
    const { user: creator } = call.caller;
    const chat = channelChat(communityId, channelId);
    const made = await newInvite(needs, call, { chat, community: communityId });
    if (isRejection(made)) return made;
    // Looked at after the waits, during which the right may have gone.
    await call.accessUpToDate();
    await needs.access.load(communityId, [creator]);
    if (needs.access.now.member(communityId, creator) === undefined) return reject('COMMUNITY_NOT_FOUND');
    if (!needs.access.now.maySee(chat, creator)) return reject('CHANNEL_NOT_FOUND');
    const data = { ...made, ...limited };
    const create = askedInChannel(
      needs.access,
      call,
      ref,
    )((): CreateChatInvite => ({ type: 'CreateChatInvite', data }));
    const outcome = await call.run(invites, create);
    return isRejection(outcome) ? outcome : { createdInvite: { code: made.code } };
  },
});

type Into = { readonly chat: ChatKey; readonly community: CommunityId };

const newInvite = async (
  needs: InviteNeeds,
  call: Call,
  { chat, community: into }: Into,
): Promise<Omit<CreateChatInvite['data'], 'expiresAt' | 'maxUses'> | Rejection> => {
  const { user: creator } = call.caller;
  const { state } = await needs.streams.caughtUp(memberStream(into, creator), members);
  if (state.status === 'outside') return reject('COMMUNITY_NOT_FOUND');
  await call.upToDate('invites');
  const refused = await refusedInvite(
    { ...needs, call, reads: meteredReads(needs.reads, call) },
    { chat, creator, now: call.now },
  );
  if (refused !== undefined) return refused;
  const code = newCode(needs.random);
  return { invite: nameOf(needs, code), code, chat, creator, creatorJoining: state.joinings, at: call.now };
};

/** The name of the invite with this code, which tells nobody the code. */
const nameOf = ({ sealer }: InviteNeeds, code: string): string => sealer.lookupHash(`invite:${code}`);

/** The read models that show an invite and the community that it leads to. */
const invitesRead = ['communities', 'invites', 'members', 'users'] as const;

type Invited = Place & { readonly code: string };

/** Whether it can still be used is for the rules to say: they count, the read model only shows. */
const inviteInto = async (needs: InviteNeeds, typed: string): Promise<Invited | undefined> => {
  const { reads } = needs;
  const code = codeTyped(typed);
  // An invite of a former release is named by its code.
  const found = code === undefined ? undefined : await invite(reads, [nameOf(needs, code), code]);
  const place = found && placeOfInvite(found);
  if (code === undefined || place === undefined) return undefined;
  return (await community(reads, place.into)) && { ...place, code };
};

const openInvite = async (needs: InviteNeeds, call: OpenCall, code: string): Promise<Invited | undefined> => {
  await call.keysUpToDate('communities', 'invites', 'users');
  const found = await soonerOrLater(call, invitesRead, () => inviteInto(needs, code));
  if (found === undefined || !isOpen(found.invite, call.now)) return undefined;
  return (await isAlive({ ...needs, call }, found)) ? found : undefined;
};

const isOpen = ({ expiresAt, maxUses, uses }: InviteDocument, now: Millis): boolean =>
  (expiresAt === undefined || now < expiresAt) && (maxUses === undefined || uses < maxUses);

const previewed = async (
  { reads, access }: InviteNeeds,
  call: OpenCall,
  { invite: found, into, code }: Invited,
): Promise<InvitePreviewInit | undefined> => {
  const [document, creator] = await Promise.all([community(reads, into), user(reads, found.creator)]);
  if (document === undefined) return undefined;
  if (call.caller !== undefined) {
    await call.accessUpToDate();
    await access.load(into, [call.caller.user]);
  }
  const viewer = call.caller && access.now.member(into, call.caller.user);
  const target = { id: into, code, community: communityFor(document, viewer) };
  return previewOf(found, target, creator && userFor(creator));
};

/** First the use is taken, then the member is in; `admitMembers` mends a crash between the two. */
const join = async (needs: InviteNeeds, call: Call, place: Invited): Promise<Nothing | Rejection> => {
  const { streams, reads } = needs;
  const { into } = place;
  const { name } = place.invite;
  const { user: joiner } = call.caller;
  if (!(await isAlive({ ...needs, call }, place))) return reject('INVITE_NOT_FOUND');
  const { state } = await streams.caughtUp(memberStream(into, joiner), members);
  if (state.status === 'member') return nothing;
  await call.keysUpToDate('communities', 'members');
  const refused = await refusedAnother({ reads, streams }, call);
  if (refused !== undefined) return refused;

  const joining = state.joinings + 1;
  const use: UseInvite = { type: 'UseInvite', data: { invite: name, user: joiner, joining, at: call.now } };
  const used = await call.run(invites, use, { commandId: `${name}.${joiner.toString()}.${joining.toString()}` });
  if (isRejection(used)) return used;
  const data = { community: into, user: joiner, via: 'invite', invite: name, joining } as const;
  const joined = await call.run(
    members,
    { type: 'JoinCommunity', data },
    { commandId: joiningId(into, joiner, joining) },
  );
  return isRejection(joined) ? joined : nothing;
};
