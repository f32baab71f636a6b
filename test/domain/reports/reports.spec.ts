import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Evidence, ReportCommand } from '../../../src/domain/reports/commands.js';
import { reports } from '../../../src/domain/reports/decide.js';
import { evidenceScope, reportEvents, type ReportEvent } from '../../../src/domain/reports/events.js';
import { selfChat } from '../../../src/kernel/chat.js';
import type { MessageId, Millis, UserId } from '../../../src/kernel/ids.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const given = givenFor(reports);
const by = 1n as UserId;
const about = { message: 10n as MessageId, chat: selfChat(by), by, day: 3 };
const kept: Evidence = {
  kind: 'reported',
  copied: about.message,
  author: 2n as UserId,
  at: 5 as Millis,
  text: 'hello',
  entities: [],
};
const report: ReportCommand = { type: 'ReportMessage', data: { ...about, reason: 'rude', evidence: [kept] } };
const reported: readonly Bare<ReportEvent>[] = [
  { type: 'MessageReported', data: { ...about, reason: 'rude' } },
  { type: 'EvidenceKept', data: { ...about, ...kept } },
];

describe('reporting a message', () => {
  it('keeps the evidence with the report, once', () => {
    given()
      .when(report)
      .thenOnce(...reported);
    given(...reported)
      .when({ ...report, data: { ...report.data, day: 4, reason: 'again', evidence: [] } })
      .then();
  });
  it('is sealed for the day and for nobody', () => {
    for (const { data, type } of reported) {
      assert.deepEqual(reportEvents[type].personal?.sealedFor(data), { scope: evidenceScope(3) });
    }
  });
});
