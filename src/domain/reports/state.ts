import type { Fold } from '../../kernel/event.js';
import type { ReportEvent } from './events.js';

export type ReportState = { readonly status: 'absent' | 'reported' };

export const initial: ReportState = { status: 'absent' };

export const evolve: Fold<ReportState, ReportEvent> = {
  MessageReported: () => ({ status: 'reported' }),
  EvidenceKept: () => ({ status: 'reported' }),
};
