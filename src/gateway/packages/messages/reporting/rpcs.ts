import { files as fileRules } from '../../../../domain/files/decide.js';
import { filesOf } from '../../../../domain/messages/attached.js';
import { messages } from '../../../../domain/messages/decide.js';
import { messageStream } from '../../../../domain/messages/events.js';
import type { Evidence, ReportCommand } from '../../../../domain/reports/commands.js';
import { reports } from '../../../../domain/reports/decide.js';
import { reportStream, type ReportEvent } from '../../../../domain/reports/events.js';
import { nothing } from '../../../../gen/rpcs.js';
import { isRejection, reject } from '../../../../kernel/decider.js';
import type { FoldedStreams } from '../../../../kernel/foldedStreams.js';
import type { FileId } from '../../../../kernel/ids.js';
import { askedInChat } from '../../../access/chatAccess.js';
import { inChat } from '../../../access/scopes.js';
import type { Call } from '../../../contract/call.js';
import { done, type Handlers } from '../../../contract/handlers.js';
import { costs } from '../../../contract/meter.js';
import { meteredReads, turnOf } from '../../../contract/meteredReads.js';
import { silent, type UpdateTable } from '../../../contract/updates.js';
import type { UpdateView } from '../../../contract/updateView.js';
import type { Access } from '../../../contract/viewerPermissions.js';
import { evidenceOf, type EvidenceNeeds } from './evidence.js';

/** Of the reason of a report, in UTF-16 code units. */
export const reasonUnitsMax = 1_000;

export type ReportNeeds = EvidenceNeeds & {
  readonly access: Access;
  readonly streams: Pick<FoldedStreams, 'caughtUp'>;
  /** The day of the log. */
  readonly today: () => number;
};

export const reportRpcs = (needs: ReportNeeds): Handlers<'messagesReportMessage'> => ({
  messagesReportMessage: inChat(needs.access, 'read')(
    async ({ messageId: message, reason }, call, seen) => {
      if (reason.length > reasonUnitsMax) {
        return reject('INVALID_ARGUMENT', `the reason has more than ${reasonUnitsMax.toString()} units`);
      }
      const { access, streams, today } = needs;
      const { key: chat } = seen;
      const by = call.caller.user;
      const before = await streams.caughtUp(reportStream(message, by), reports);
      if (before.state.status !== 'absent') return nothing;
      const { state } = await streams.caughtUp(messageStream(message), messages);
      if (state.status !== 'alive' || state.chat !== chat) return reject('MESSAGE_NOT_FOUND');
      // It has no words of which a copy could be kept.
      if (state.announces !== undefined) return reject('INVALID_ARGUMENT', 'nobody wrote this message');
      const evidence = await evidenceOf({ ...needs, reads: meteredReads(needs.reads, call) }, message, state);
      const files = await filesKept(call, shownFiles(evidence));
      const report = askedInChat(access, call, seen, (): ReportCommand => ({
        type: 'ReportMessage',
        data: { message, chat, by, day: today(), reason, evidence, files },
      }));
      return done(await call.run(reports, report));
    },
    { reads: ['messages'] },
  ),
});

/** Each of them once, the photos of cloaks too. */
const shownFiles = (evidence: readonly Evidence[]): readonly FileId[] => [
  ...new Set(evidence.flatMap(({ media = [], botInfo }) => filesOf(media, botInfo))),
];

/**
 * Those that are still there. From here on they are kept until the report uses them; one of a former wording, or of a neighbour that is
 * being deleted, may have been released before.
 */
const filesKept = async (call: Call, files: readonly FileId[]): Promise<readonly FileId[]> => {
  const kept: FileId[] = [];
  for (const file of files) {
    await turnOf(call.meter, costs.document);
    const used = await call.run(fileRules, { type: 'UseFile', data: { file, at: call.now } });
    if (!isRejection(used)) kept.push(file);
  }
  return kept;
};

/** Nobody in the chat hears of a report, least of all its author. */
export const reportUpdates: UpdateTable<ReportEvent, UpdateView> = {
  MessageReported: silent,
  EvidenceKept: silent,
  ReportEnded: silent,
};
