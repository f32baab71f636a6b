/**
 * Texts that stand in nearly every sealed value, by the numbers under which stored documents have them: the types of
 * events, and the names of their personal fields. A number is for ever, so words are added at the end alone. A text
 * that is not here is spelled out.
 */
export const words: readonly string[] = [
  'messages.MessageSent.v1',
  'messages.MessageEdited.v1',
  'text',
  'entities',
  'quote',
  'requestHash',
  'users.UserRegistered.v1',
  'users.NameChanged.v1',
  'users.UsernameChanged.v1',
  'users.BioChanged.v1',
  'name',
  'username',
  'bio',
  'members.NicknameSet.v1',
  'nickname',
  'communities.CommunityCreated.v1',
  'communities.ChannelCreated.v1',
  'communities.ChannelRenamed.v1',
  'communities.ChannelDescribed.v1',
  'communities.RoleCreated.v1',
  'communities.RoleEdited.v1',
  'description',
  'accounts.SessionOpened.v1',
  'accounts.SessionDeviceChanged.v1',
  'deviceType',
  'deviceVersion',
  'appVersion',
  'network',
  'invites.ChatInviteCreated.v1',
  'code',
];
