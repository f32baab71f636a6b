import { files, uploads } from '../../domain/files/decide.js';
import { fileStream } from '../../domain/files/events.js';
import { unusedMillisMin, uploadLifeMillis } from '../../domain/files/limits.js';
import type { MadeFile } from '../../domain/files/state.js';
import type { Command, Decider } from '../../kernel/decider.js';
import type { Event, Position } from '../../kernel/event.js';
import type { Execute } from '../../kernel/execute.js';
import type { FoldedStreams } from '../../kernel/foldedStreams.js';
import type { FileId, Millis } from '../../kernel/ids.js';
import { unless } from '../../kernel/opened.js';
import { blobsPerCallMax, type Blobs } from '../../kernel/ports/blobs.js';
import type { Clock, Ids } from '../../kernel/ports/system.js';
import { withDeadline } from '../../kernel/timing.js';
import type { FileDocument, UploadDocument } from '../../projections/files/documents.js';
import { filesRemovableSince, filesUnusedSince, uploadsBegunIn } from '../../projections/files/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import { dueWork, type Passed } from './dueWork.js';
import { endedChats } from './endedChats.js';
import { blobOf, blobsOf, firstPartOf, unpackedParts } from './manifest.js';
import type { FileRemovals } from './removals.js';

/** A part that was taken in time may be on its way to the store for so long. */
const lateMillisMax = 600_000;

/** The read model is waited for so long before a look is given up. */
const waitMillisMax = 30_000;

export type SweepFilesNeeds = {
  readonly blobs: Pick<Blobs, 'list' | 'remove'>;
  readonly clock: Clock;
  readonly execute: Execute;
  readonly ids: Pick<Ids, 'commandId'>;
  readonly reads: Reads;
  readonly removals: Pick<FileRemovals, 'mayGoOn'>;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  /** The end of the log. */
  readonly end: () => Promise<Position>;
  /** Resolves once the read model holds all events up to here; undefined when it does. */
  readonly reached: (position: Position, projections: readonly 'files'[]) => Promise<void> | undefined;
};

/** The outcome of one look: uploads that ended, files that were released, files whose bytes went, and failures, which are left for the next. */
export type Swept = {
  readonly ended: number;
  /** Messages with files that were deleted because their channel had ended. */
  readonly deleted: number;
  readonly released: number;
  readonly removed: number;
  readonly failed: number;
  /** Of the failures the first one. */
  readonly first?: unknown;
};

/** Looks at files that nothing uses. Each look does all that is due; one that was cut short is made up for by the next. */
export interface FileSweep {
  /** Goes past what fails. Rejects when it cannot look at all. */
  look(this: void, signal: AbortSignal): Promise<Swept>;
}

/**
 * Uploads come to an end after an hour, and those that became no file are released. A file that nothing has used for an hour is released.
 * The bytes of a released file go from the store some time later. One node at a time looks; of two that looked at once, each event would
 * be there once all the same.
 */
export const sweepFiles = (needs: SweepFilesNeeds): FileSweep => {
  const { clock } = needs;
  const before = (millis: number): Millis => (clock.now() - millis) as Millis;
  const { uploadsEnd, releases, removals } = dueIn(needs);
  const chats = endedChats(needs);
  return {
    look: async (signal) => {
      const waiting = needs.reached(await needs.end(), ['files']);
      if (waiting !== undefined) await withDeadline(waiting, waitMillisMax, tooLate);
      const ended = await uploadsEnd.pass(before(uploadLifeMillis + lateMillisMax), signal);
      const deleted = await chats.pass(signal);
      const released = await releases.pass(before(unusedMillisMin), signal);
      const removed = await removals.pass(before(0), signal);
      return sumOf({ ended, deleted, released, removed });
    },
  };
};

const dueIn = (needs: SweepFilesNeeds) => {
  const { reads } = needs;
  const nameOf = ({ file }: { readonly file: FileId }): string => file.toString();
  return {
    uploadsEnd: dueWork<UploadDocument>({
      find: (span, limit) => uploadsBegunIn(reads, span, limit),
      since: ({ at }) => at,
      name: nameOf,
      work: (upload) => endUpload(needs, upload),
    }),
    releases: dueWork<FileDocument>({
      find: (span, limit) => filesUnusedSince(reads, span, limit),
      since: ({ since }) => since,
      name: nameOf,
      work: ({ file }) => run(needs, files, { type: 'ReleaseFile', data: { file, at: needs.clock.now() } }),
    }),
    removals: dueWork<FileDocument>({
      find: (span, limit) => filesRemovableSince(reads, span, limit),
      since: ({ dueAt, since }) => dueAt ?? since,
      name: nameOf,
      work: (document) => removeFile(needs, document),
      mayGoOn: needs.removals.mayGoOn,
    }),
  };
};

const sumOf = (passed: Readonly<Record<'ended' | 'deleted' | 'released' | 'removed', Passed>>): Swept => {
  const all = Object.values(passed);
  const failed = all.reduce((sum, one) => sum + one.failed, 0);
  const first = all.find((one) => one.failed > 0)?.first;
  const { ended, deleted, released, removed } = passed;
  const done = { ended: ended.done, deleted: deleted.done, released: released.done, removed: removed.done };
  return { ...done, failed, ...(failed > 0 && { first }) };
};

const tooLate = (): Error => new Error('the read model of files does not come to the end of the log in time');

const run = async <C extends Command, State, E extends Event>(
  { execute, ids }: SweepFilesNeeds,
  decider: Decider<C, State, E>,
  command: C,
): Promise<void> => {
  const commandId = ids.commandId();
  await execute(decider, command, { commandId, correlationId: commandId });
};

/** From here on nobody can make a file of it. Of one that was made, parts are left over that were sent again, or of which a picture was made. */
const endUpload = async (needs: SweepFilesNeeds, { session, upload, user, file }: UploadDocument): Promise<void> => {
  await run(needs, files, { type: 'ExpireFile', data: { file, uploader: user, at: needs.clock.now() } });
  const { state } = await needs.streams.caughtUp(fileStream(file), files);
  const named = state.status === 'made' ? namedBy(file, state) : undefined;
  if (named !== undefined) await removeBlobs(needs, file, named);
  await run(needs, uploads, { type: 'EndUpload', data: { session, upload, user, file } });
};

const removeFile = async (needs: SweepFilesNeeds, { file }: FileDocument): Promise<void> => {
  await removeBlobs(needs, file, new Set());
  await run(needs, files, { type: 'RemoveFile', data: { file } });
};

/** Undefined where the manifest was shredded. */
const namedBy = (file: FileId, made: MadeFile): ReadonlySet<string> | undefined => {
  const manifest = unless(made.manifest, undefined);
  if (manifest === undefined) return undefined;
  const first = firstPartOf(made);
  return new Set((unpackedParts(manifest) ?? []).map((part, index) => blobOf(file, first + index, part)));
};

const removeBlobs = async ({ blobs }: SweepFilesNeeds, file: FileId, except: ReadonlySet<string>): Promise<void> => {
  let after: string | undefined;
  for (;;) {
    const page = await blobs.list(blobsOf(file), { limit: blobsPerCallMax, ...(after === undefined ? {} : { after }) });
    await blobs.remove(page.map(({ name }) => name).filter((name) => !except.has(name)));
    after = page.at(-1)?.name;
    if (page.length < blobsPerCallMax || after === undefined) return;
  }
};
