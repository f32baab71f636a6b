import type { Decider } from '../../kernel/decider.js';
import type { ReportCommand } from './commands.js';
import { reportStream, type ReportEvent } from './events.js';
import { evolve, initial, type ReportState } from './state.js';

export const reports: Decider<ReportCommand, ReportState, ReportEvent> = {
  stream: ({ data }) => reportStream(data.message, data.by),
  initial,
  evolve,
  begins: ['ReportMessage'],
  foldsFromLatest: true,
  rules: {
    // The evidence is that of the first report, so that nobody pushes it out by reporting again.
    ReportMessage: ({ reason, evidence, ...report }, { status }) =>
      status === 'reported'
        ? []
        : [
            { type: 'MessageReported', data: { ...report, reason } },
            ...evidence.map((kept) => ({ type: 'EvidenceKept', data: { ...report, ...kept } }) as const),
          ],
  },
};
