import { storedType } from '../../src/kernel/codec.js';
import type { EventKind } from '../../src/kernel/declareEvents.js';
import type { Metadata } from '../../src/kernel/event.js';

/** docs/events.md, from the declarations of the events. */
export const eventsPage = (kinds: readonly EventKind[]): string =>
  [
    '# Events',
    '',
    'Made from the declarations in `src/domain/*/events.ts` by `npm run samples`; a test holds this page to them.',
    'Bodies are JSON. Personal fields are sealed together into one field `sealed`; see docs/architecture.md.',
    '',
    '## Metadata',
    '',
    'Flat strings beside each event, none of them personal.',
    '',
    '| field            | holds                                                                                  |',
    '| ---------------- | -------------------------------------------------------------------------------------- |',
    ...metadataFields.map(([field, holds]) => `| ${`\`${field}\``.padEnd(16)} | ${holds.padEnd(86)} |`),
    '',
    ...kinds.flatMap(section),
  ].join('\n');

/** Each field of `Metadata`. */
const metadataSays: Readonly<Record<keyof Metadata, string>> = {
  $correlationId: 'the request that all of it came of',
  $causationId: 'the command or event that led to the event',
  command: 'the type of the command',
  about: 'the topic, so that nodes without listeners pass the event over',
  actor: 'the user who acted; absent when a workflow did',
  session: 'the session of that user',
  moment: 'an id of the tick in which the event was handed to the log',
  asOf: 'the position as of which the right was looked at, on many nodes',
  slowmode: 'the seconds of the slow mode that the author was subject to, with `asOf`',
  needs: 'the bits of the rights in the chat, with `asOf`; absent where the event tells them',
  part: 'the place among the events of one request, `2/3`; absent in one alone, and in old ones',
  traceparent: 'the span of the request, as in W3C Trace Context',
};
const metadataFields = Object.entries(metadataSays);

const section = (kind: EventKind): readonly string[] => [
  `## \`${storedType(kind)}\``,
  '',
  kind.says,
  '',
  ...rows('Fields', kind.fields.describe),
  ...(kind.personal === undefined ? [] : rows('Personal, sealed', kind.personal.schema.describe)),
];

const rows = (title: string, describe: string): readonly string[] => [`${title}: \`${describe}\``, ''];
