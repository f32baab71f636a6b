import { files } from '../domain/files/decide.js';
import { messages } from '../domain/messages/decide.js';
import { messageStream, type MessageEvent } from '../domain/messages/events.js';
import type { AliveMessage } from '../domain/messages/state.js';
import type { PreviewCommand } from '../domain/previews/commands.js';
import { previews } from '../domain/previews/decide.js';
import { previewStream, type PreviewEvent } from '../domain/previews/events.js';
import { isSuppressed } from '../domain/previews/state.js';
import type { AttachedFile } from '../domain/messages/events.js';
import { boundedMap, type BoundedMap } from '../kernel/boundedMap.js';
import { isRejection } from '../kernel/decider.js';
import { defined } from '../kernel/defined.js';
import type { EventOf, Recorded } from '../kernel/event.js';
import type { FoldedStreams } from '../kernel/foldedStreams.js';
import { fairTurns, type FairTurns, type TurnBounds } from '../kernel/fairTurns.js';
import type { MessageId, UserId } from '../kernel/ids.js';
import { opened, unless } from '../kernel/opened.js';
import type { Timers } from '../kernel/ports/leases.js';
import type { LinkedText, LinkPreviews } from '../kernel/ports/linkPreviews.js';
import type { Clock } from '../kernel/ports/system.js';
import { atMost } from '../kernel/timing.js';
import type { UnderWay } from '../kernel/underWay.js';
import type { Run, Workflow } from './runner.js';

export type ShowPreviewsNeeds = {
  /** Absent where no link is followed. */
  readonly linkPreviews?: LinkPreviews;
  /** The file that becomes of the bytes of a picture; undefined where none does. */
  readonly pagePicture: (bytes: Uint8Array, author: UserId) => Promise<AttachedFile | undefined>;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly timers: Pick<Timers, 'later'>;
  /** Holds the fetches, for the one who stops the server. */
  readonly fetches: UnderWay;
  readonly fetchFailed: (error: unknown) => void;
};

/** A link is followed for events that are younger than this alone, so that a log that is read again asks nobody. */
export const previewedMillisMax = 60_000;
/** Messages whose previews are looked for at once; more are shown without. */
export const previewedAtOnceMax = 256;

/** Messages of which it is remembered that they have no preview, so that nothing is looked up for an edit or a deletion of them. */
export const previewlessMax = 20_000;
/** Pictures of pages that are fetched, made and stored at a time, so that few are in memory; those beyond are left out. */
export const pagePictureTurns: TurnBounds = { atOnceMax: 4, waitingMax: 100, waitingOfOneMax: 20 };
/** Messages of which a node remembers the picture, so that an edit which leaves the link as it is keeps it. */
const picturesKeptMax = 5_000;
/** A preview waits for its picture so long, the wait for a turn included, and is then shown without. */
export const pagePictureMillisMax = 10_000;

type Begins = EventOf<MessageEvent, 'MessageSent' | 'MessageForwarded' | 'MessageEdited'>;
type Allowed = EventOf<PreviewEvent, 'PreviewsAllowed'>;
type Reacts =
  | Begins
  | EventOf<MessageEvent, 'MessageDeleted'>
  | EventOf<PreviewEvent, 'PreviewFound' | 'PreviewsSuppressed' | 'PreviewsAllowed'>;

/** A look for the preview of a message. Once the message has other words or is gone, nothing comes of it. */
type Look = { isOver: boolean; storing: Promise<unknown> };

/**
 * Whenever a message has new words with a link, its preview is fetched and stored. The log goes on meanwhile: a page may
 * take seconds. A look that a crash ends is not made again, and the message stays without a preview.
 */
export const showPreviews = (needs: ShowPreviewsNeeds): Workflow<Reacts> => {
  const { begin, end, gone } = looksOf(needs);
  const without = boundedMap<MessageId, true>({ entriesMax: previewlessMax });
  const written = (event: Recorded<Begins>, run: Run): Promise<void> => {
    // Most messages have no link, and are not looked at any closer.
    if (event.data.suppressEmbeds !== true && mayHaveLink(event.data)) begin(event, run);
    else end(event.data.message);
    return Promise.resolve();
  };
  const begun = (event: Recorded<Begins>, run: Run): Promise<void> => {
    without.set(event.data.message, true);
    return written(event, run);
  };
  return {
    name: 'showPreviews',
    forget: () => {
      without.clear();
    },
    // Links of long ago have been followed, or were not to be.
    begins: 'end',
    belongsTo: 'deployment',
    reactions: {
      MessageSent: begun,
      MessageForwarded: begun,
      MessageEdited: async (event, run) => {
        await written(event, run);
        const { message, chat, author } = event.data;
        if (without.has(message)) return;
        const data = { message, chat, author, revision: Number(event.revision) };
        const done = await run(previews, { type: 'OutdatePreview', data }, `previewOutdated.${event.id}`);
        if (!isRejection(done)) without.set(message, true);
      },
      PreviewsSuppressed: ({ data: { message } }) => {
        end(message);
        return Promise.resolve();
      },
      PreviewsAllowed: (event, run) => {
        begin(event, run);
        return Promise.resolve();
      },
      PreviewFound: (event, run) => {
        without.delete(event.data.message);
        return takenBackIfLate(needs, event, run);
      },
      MessageDeleted: async ({ data: { message, chat, author }, id }, run) => {
        // A preview that is being stored in this moment is removed after that.
        const look = gone(message);
        await look?.storing;
        if (look === undefined && without.has(message)) return;
        await run(previews, { type: 'RemovePreview', data: { message, chat, author } }, `previewRemoved.${id}`);
      },
    },
  };
};

/** Looks that are under way, one for each message at most. */
const looksOf = (needs: ShowPreviewsNeeds) => {
  const looks = new Map<MessageId, Look>();
  const turns = fairTurns(pagePictureTurns);
  const kept = boundedMap<MessageId, Kept>({ entriesMax: picturesKeptMax });
  const end = (message: MessageId): Look | undefined => {
    const look = looks.get(message);
    if (look !== undefined) look.isOver = true;
    looks.delete(message);
    return look;
  };
  const begin = ({ data: { message }, id, at }: Recorded<Begins | Allowed>, run: Run): void => {
    end(message);
    const { linkPreviews } = needs;
    if (linkPreviews === undefined || needs.clock.now() - at > previewedMillisMax) return;
    if (looks.size >= previewedAtOnceMax) return;
    const look: Look = { isOver: false, storing: Promise.resolve() };
    looks.set(message, look);
    const looked = lookFor({ ...needs, linkPreviews, turns, kept }, { message, look, commandId: `preview.${id}` }, run);
    const ended = (): void => {
      if (looks.get(message) === look) looks.delete(message);
    };
    void needs.fetches.add(looked.catch(needs.fetchFailed).finally(ended));
  };
  const gone = (message: MessageId): Look | undefined => {
    kept.delete(message);
    return end(message);
  };
  return { begin, end, gone };
};

/**
 * A node that has lost the lease may store what it found behind an edit or a deletion that another node has met. All that
 * comes behind this event is met as well, so between the two no preview is left over.
 */
const takenBackIfLate = async (
  { streams }: Pick<ShowPreviewsNeeds, 'streams'>,
  { data: { message, chat, author, revision: shownWith }, id }: Recorded<EventOf<PreviewEvent, 'PreviewFound'>>,
  run: Run,
): Promise<void> => {
  const { state, revision: latest } = await streams.caughtUp(messageStream(message), messages);
  const revision = Number(latest);
  if (state.status === 'alive' && revision <= shownWith) return;
  const about = { message, chat, author };
  const takeBack: PreviewCommand =
    state.status === 'alive'
      ? { type: 'OutdatePreview', data: { ...about, revision } }
      : { type: 'RemovePreview', data: about };
  await run(previews, takeBack, `previewTakenBack.${id}`);
};

const mayHaveLink = ({ text, entities }: Pick<Begins['data'], 'text' | 'entities'>): boolean =>
  unless(text, '').includes('://') || unless(entities, []).some(({ kind }) => kind === 'url' || kind === 'textUrl');

type Looking = { readonly message: MessageId; readonly look: Look; readonly commandId: string };

/** The picture that a message was last shown with, and where it was found. */
type Kept = { readonly link: string; readonly picture: AttachedFile };

/** Asked again after each wait. */
const isOver = (look: Look): boolean => look.isOver;

type Fetching = ShowPreviewsNeeds & {
  readonly linkPreviews: LinkPreviews;
  readonly turns: FairTurns;
  readonly kept: BoundedMap<MessageId, Kept>;
};
type Pictured = { readonly link: string; readonly look: Look; readonly author: UserId };

/** A preview is shown without its picture rather than not at all. */
const pictureOf = async (
  { linkPreviews, pagePicture, turns, timers, fetchFailed }: Fetching,
  { link, look, author }: Pictured,
): Promise<AttachedFile | undefined> => {
  const wait = { isOver: false };
  const isLate = (): boolean => wait.isOver || isOver(look);
  let picture: AttachedFile | undefined;
  const made = async (): Promise<void> => {
    const bytes = isLate() ? undefined : await linkPreviews.pictureAt(link, author);
    if (bytes !== undefined && !isLate()) picture = await pagePicture(bytes, author);
  };
  const failed = (error: unknown): void => {
    if (!isLate()) fetchFailed(error);
  };
  const turn = turns.run(author.toString(), made)?.catch(failed);
  if (turn !== undefined) await atMost(pagePictureMillisMax, turn, timers);
  wait.isOver = true;
  return picture;
};

/** For the words as they are now: those of the event may have changed since. */
const lookFor = async (needs: Fetching, { message, look, commandId }: Looking, run: Run): Promise<void> => {
  const { streams, linkPreviews } = needs;
  const { state, revision } = await streams.caughtUp(messageStream(message), messages);
  if (state.status !== 'alive') return;
  const { state: shown } = await streams.caughtUp(previewStream(message), previews);
  if (isSuppressed(shown, state)) return;
  const link = await linkPreviews.linkIn(wordsOf(state));
  if (link === undefined || isOver(look)) return;
  const found = await linkPreviews.previewOf(link, state.author);
  if (typeof found === 'string' || isOver(look)) return;
  const { pictureUrl: pictured, ...page } = found;
  const place = { ...placeOf(message, state), revision: Number(revision) };
  const picture =
    pictured === undefined
      ? undefined
      : ((await keptPicture(needs, { place, link: pictured, commandId }, run)) ??
        (await pictureOf(needs, { link: pictured, look, author: state.author })));
  if (isOver(look)) return;
  const data = { ...place, preview: { ...page, ...defined({ picture }) } };
  look.storing = run(previews, { type: 'ShowPreview', data }, commandId);
  await look.storing;
  if (pictured === undefined || picture === undefined || isOver(look)) return;
  needs.kept.set(message, { link: pictured, picture });
};

type Keeping = {
  readonly place: ReturnType<typeof placeOf> & { readonly revision: number };
  readonly link: string;
  readonly commandId: string;
};

/** That of the words before, where it was found at the same address and is a file still. */
const keptPicture = async (
  { kept, clock }: Pick<Fetching, 'kept' | 'clock'>,
  { place: { message, chat, author, revision }, link, commandId }: Keeping,
  run: Run,
): Promise<AttachedFile | undefined> => {
  const before = kept.get(message);
  if (before?.link !== link) return undefined;
  const data = { file: before.picture.file, at: clock.now() };
  if (isRejection(await run(files, { type: 'UseFile', data }, `${commandId}.kept`))) return undefined;
  // A file is counted as used by one preview at a time.
  await run(previews, { type: 'OutdatePreview', data: { message, chat, author, revision } }, `${commandId}.outdated`);
  return before.picture;
};

const wordsOf = ({ text, entities }: AliveMessage): LinkedText => {
  const words = opened(text);
  return typeof words === 'string' ? { text: words, entities: unless(entities, []) } : { text: '', entities: [] };
};

const placeOf = (message: MessageId, { chat, author, forwarded }: AliveMessage) => ({
  message,
  chat,
  author,
  ...defined({ writtenBy: forwarded?.writtenBy }),
});
