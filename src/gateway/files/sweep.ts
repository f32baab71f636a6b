import { files, uploads } from '../../domain/files/decide.js';
import { fileStream } from '../../domain/files/events.js';
import { unusedMillisMin, uploadLifeMillis } from '../../domain/files/limits.js';
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
import { filesRemovableBefore, filesUnusedSince, uploadsBegunBefore } from '../../projections/files/queries.js';
import type { Reads } from '../../projections/reading/queries.js';
import { blobOf, blobsOf, unpackedParts } from './manifest.js';

/** Of each kind of thing that a look may find; the next look goes on. */
export const sweptPerLookMax = 1_000;

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
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  /** The end of the log. */
  readonly end: () => Promise<Position>;
  /** Resolves once the read model holds all events up to here; undefined when it does. */
  readonly reached: (position: Position, projections: readonly 'files'[]) => Promise<void> | undefined;
};

/** Looks at files that nothing uses. Each look does all that is due; one that was cut short is made up for by the next. */
export interface FileSweep {
  /** Rejects when it did not come to its end. */
  look(this: void, signal: AbortSignal): Promise<void>;
}

/**
 * Uploads come to an end after an hour, and those that became no file are released. A file that nothing has used for an hour is released.
 * The bytes of a released file go from the store some time later. One node at a time looks; of two that looked at once, each event would
 * be there once all the same.
 */
export const sweepFiles = (needs: SweepFilesNeeds): FileSweep => {
  const { clock, reads } = needs;
  const before = (millis: number): Millis => (clock.now() - millis) as Millis;
  return {
    look: async (signal) => {
      const waiting = needs.reached(await needs.end(), ['files']);
      if (waiting !== undefined) await withDeadline(waiting, waitMillisMax, tooLate);
      const ended = await uploadsBegunBefore(reads, before(uploadLifeMillis + lateMillisMax), sweptPerLookMax);
      await each(ended, signal, (upload) => endUpload(needs, upload));
      const unused = await filesUnusedSince(reads, before(unusedMillisMin), sweptPerLookMax);
      await each(unused, signal, ({ file }) =>
        run(needs, files, { type: 'ReleaseFile', data: { file, at: clock.now() } }),
      );
      const removable = await filesRemovableBefore(reads, before(0), sweptPerLookMax);
      await each(removable, signal, (document) => removeFile(needs, document));
    },
  };
};

const tooLate = (): Error => new Error('the read model of files does not come to the end of the log in time');

const each = async <T>(all: readonly T[], signal: AbortSignal, work: (one: T) => Promise<void>): Promise<void> => {
  for (const one of all) {
    if (signal.aborted) return;
    await work(one);
  }
};

const run = async <C extends Command, State, E extends Event>(
  { execute, ids }: SweepFilesNeeds,
  decider: Decider<C, State, E>,
  command: C,
): Promise<void> => {
  const commandId = ids.commandId();
  await execute(decider, command, { commandId, correlationId: commandId });
};

/** From here on nobody can make a file of it. Of one that was made, parts that were sent again are left over. */
const endUpload = async (needs: SweepFilesNeeds, { session, upload, user, file }: UploadDocument): Promise<void> => {
  await run(needs, files, { type: 'ExpireFile', data: { file, uploader: user, at: needs.clock.now() } });
  const { state } = await needs.streams.caughtUp(fileStream(file), files);
  const manifest = state.status === 'made' ? unless(state.manifest, undefined) : undefined;
  if (manifest !== undefined) await removeBlobs(needs, file, namedBy(file, manifest));
  await run(needs, uploads, { type: 'EndUpload', data: { session, upload, user, file } });
};

const removeFile = async (needs: SweepFilesNeeds, { file }: FileDocument): Promise<void> => {
  await removeBlobs(needs, file, new Set());
  await run(needs, files, { type: 'RemoveFile', data: { file } });
};

const namedBy = (file: FileId, manifest: string): ReadonlySet<string> =>
  new Set((unpackedParts(manifest) ?? []).map((part, index) => blobOf(file, index, part)));

const removeBlobs = async ({ blobs }: SweepFilesNeeds, file: FileId, except: ReadonlySet<string>): Promise<void> => {
  let after: string | undefined;
  for (;;) {
    const page = await blobs.list(blobsOf(file), { limit: blobsPerCallMax, ...(after === undefined ? {} : { after }) });
    await blobs.remove(page.map(({ name }) => name).filter((name) => !except.has(name)));
    after = page.at(-1)?.name;
    if (page.length < blobsPerCallMax || after === undefined) return;
  }
};
