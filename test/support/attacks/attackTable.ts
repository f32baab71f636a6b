/** One way of taking the server from the others. */
export type AttackRow = {
  /** What the attacker does. */
  readonly by: string;
  /** The test that counts the work which the server does on it. */
  readonly spec: string;
  readonly test: string;
};

const bounds = { spec: 'test/system/bounds.spec.ts' };
const admission = { spec: 'test/gateway/requests/admission.spec.ts' };
const intake = { spec: 'test/gateway/sockets/requestIntake.spec.ts' };
const paidReading = { spec: 'test/gateway/sockets/paidReading.spec.ts' };
const places = { spec: 'test/gateway/sockets/places.spec.ts' };
const longTexts = { ...bounds, test: 'is bounded for a text as long as a frame' };
const withoutSession = {
  ...admission,
  test: 'has no more from many connections without a session than the address has, and the welcome of each',
};
const manyRecipients = { ...admission, test: 'that has many recipients is paid for by the user who made it' };
const guarded = { spec: 'test/gateway/packages/auth/signIn.spec.ts' };

/** Every attack of `bench -- abuse`, which runs it, with the test that holds the bound on its work. */
export const attackTable = {
  openTexts: { by: 'each text of each RPC that is open, as long as a frame, without a session', ...longTexts },
  marks: { by: 'each text of each RPC as long as a frame, of combining marks', ...longTexts },
  hosts: { by: 'the same as a link with a host of ideographs', ...longTexts },
  links: {
    by: '200 links with hosts of 2,000 ideographs',
    ...bounds,
    test: 'is not begun where they are too long together',
  },
  parsedLinks: { by: '200 links with hosts as long as they may be', ...bounds, test: 'is done once for each' },
  nonces: {
    by: '200 links under ever new nonces',
    spec: 'test/gateway/packages/messages/sending/nonces.spec.ts',
    test: 'has a bound in number, above which the read model is asked again',
  },
  entities: {
    by: '600,000 empty entities',
    spec: 'test/wire/lists.spec.ts',
    test: 'is refused before the item that is too many is read',
  },
  channels: { by: 'GetChannels of 500 channels', ...admission, test: 'has no more from 64 requests of a kind at once' },
  communities: {
    by: 'GetCommunities of 200 communities of 500 channels',
    spec: 'test/gateway/packages/communities/listing.spec.ts',
    test: 'counts unread messages in so many channels at most, however many there are',
  },
  history: {
    by: 'pages of the largest messages',
    spec: 'test/gateway/packages/messages/history.spec.ts',
    test: 'reads no more of the longest messages than an answer holds',
  },
  edits: {
    by: 'thousands of edits of one message',
    spec: 'test/gateway/updates/documentAsOf.spec.ts',
    test: 'takes one record of the log for the 1,000th edit',
  },
  underWay: {
    by: '64 requests of each kind at once',
    ...admission,
    test: 'has no more from 64 requests of a kind at once',
  },
  nonReaders: {
    by: '500 connections that ask for pages and do not read',
    spec: 'test/gateway/sockets/slowReaders.spec.ts',
    test: 'are bounded over all: the fullest readers are closed first, no more of them than needed',
  },
  places: {
    by: 'thousands of connections that never authorize',
    ...places,
    test: 'give way, first those that never made a valid request',
  },
  initialize: { by: 'Initialize without end', ...withoutSession },
  unauthorized: { by: 'requests without a session', ...withoutSession },
  malformed: {
    by: 'requests of which the fields cannot be read, with a session',
    ...admission,
    test: 'has no more from many sessions than the user has',
  },
  broken: {
    by: 'messages that cannot be read',
    ...intake,
    test: 'as a flood of bad forms are answered as far as the budget goes',
  },
  unknown: { by: 'RPCs that do not exist', ...withoutSession },
  unknownSignedIn: {
    by: 'the same with a session',
    ...admission,
    test: 'has no more from many sessions than the user has',
  },
  authorize: { by: 'tokens that are none', ...withoutSession },
  status: { by: 'ChangeStatus in a community of 1,000 members', ...manyRecipients },
  arranging: {
    by: 'moves of a channel among 500, in a community of 1,000 members',
    spec: 'test/gateway/access/channelViewers.spec.ts',
    test: 'are not found anew when channels move or the name of a role changes',
  },
  signIn: {
    by: 'wrong passwords from one address',
    ...guarded,
    test: 'for one account has ten of them hashed from one address',
  },
  signInWidely: {
    by: 'wrong passwords from 50 addresses',
    ...guarded,
    test: 'for one account has a hundred of them hashed from fifty addresses',
  },
  fragments: {
    by: 'messages in as many pieces as they may have',
    ...paidReading,
    test: 'count what frames the payload, of heartbeats, pings and fragments, and little of long messages',
  },
  pings: { by: 'pings without end', ...intake, test: 'are none as pings: a flood of them begins and costs nothing' },
  heartbeats: {
    by: 'heartbeats without end',
    ...paidReading,
    test: 'are those of heartbeats as well, where a piece is full of them: of one connection in a round',
  },
  halfMessages: {
    by: 'messages of 1 MiB that are never complete, without a session',
    ...places,
    test: 'is closed with 1001 when no valid request comes in time: nothing else counts as one',
  },
  halfSignedIn: {
    by: 'the same with a session',
    spec: 'test/gateway/sockets/receivedBytes.spec.ts',
    test: 'hold no room by what they announce when nothing comes, and are given up when nothing comes for long',
  },
  reconnects: { by: 'connecting and leaving without end', ...withoutSession },
  reconnectsSignedIn: {
    by: 'the same by token',
    ...places,
    test: 'comes in with a thousand that come back at once from one address',
  },
  pages: {
    by: 'pages of strangers, and names that were pointed at the server',
    spec: 'test/gateway/sockets/server.spec.ts',
    test: 'under a name that was pointed at this machine is refused',
  },
} as const satisfies Readonly<Record<string, AttackRow>>;

export type AttackName = keyof typeof attackTable;
