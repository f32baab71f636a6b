import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Evidence, ReportCommand } from '../../../src/domain/reports/commands.js';
import { reports } from '../../../src/domain/reports/decide.js';
import { evidenceScope, reportEvents, type ReportEvent } from '../../../src/domain/reports/events.js';
import { selfChat } from '../../../src/kernel/chat.js';
import type { FileId, MessageId, Millis, UserId } from '../../../src/kernel/ids.js';
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
const report: ReportCommand = {
  type: 'ReportMessage',
  data: { ...about, reason: 'rude', evidence: [kept], files: [] },
};
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
      .when({ ...report, data: { ...report.data, day: 4, reason: 'again', evidence: [], files: [] } })
      .then();
  });
  it('names the files of its evidence, and lets go of them once when it ends', () => {
    const file = { file: 7n as FileId, key: 'k', bytes: 3, mimetype: 'text/plain' };
    const attached: Evidence = { ...kept, media: [{ file }, { link: 'https://example.org/' }] };
    const [first, second] = reported;
    assert.ok(first?.type === 'MessageReported' && second?.type === 'EvidenceKept');
    const withFiles: readonly Bare<ReportEvent>[] = [
      { ...first, data: { ...first.data, files: [file.file] } },
      { ...second, data: { ...second.data, ...attached } },
      { ...second, data: { ...second.data, ...attached } },
    ];
    given()
      .when({ ...report, data: { ...report.data, evidence: [attached, attached], files: [file.file] } })
      .thenOnce(...withFiles);
    const end: ReportCommand = { type: 'EndReport', data: { message: about.message, by } };
    const ended: Bare<ReportEvent> = { type: 'ReportEnded', data: { ...about, files: [file.file] } };
    given(...withFiles)
      .when(end)
      .thenOnce(ended);
    given(...withFiles, ended)
      .when(report)
      .then();
    given(...reported)
      .when(end)
      .then();
    given().when(end).then();
  });
  it('is sealed for the day and for nobody', () => {
    for (const { data, type } of reported) {
      assert.deepEqual(reportEvents[type].personal?.sealedFor(data), { scope: evidenceScope(3) });
    }
  });
});
