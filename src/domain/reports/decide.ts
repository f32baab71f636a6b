import type { Decider } from '../../kernel/decider.js';
import type { ReportCommand } from './commands.js';
import { reportStream, type ReportEvent } from './events.js';
import { evolve, initial, type ReportState } from './state.js';

export const reports: Decider<ReportCommand, ReportState, ReportEvent> = {
  stream: ({ data }) => reportStream(data.message, data.by),
  initial,
  evolve,
  begins: ['ReportMessage'],
  foldsFromFirstAndLatest: true,
  rules: {
    // The evidence is that of the first report, so that nobody pushes it out by reporting again.
    ReportMessage: ({ reason, evidence, files, ...report }, { status }) =>
      status === 'absent'
        ? [
            { type: 'MessageReported', data: { ...report, reason, ...(files.length > 0 && { files }) } },
            ...evidence.map((kept) => ({ type: 'EvidenceKept', data: { ...report, ...kept } }) as const),
          ]
        : [],

    EndReport: (report, state) => {
      if (state.status !== 'reported' || state.files.length === 0) return [];
      const { chat, day, files } = state;
      return [{ type: 'ReportEnded', data: { ...report, chat, day, files } }];
    },
  },
};
