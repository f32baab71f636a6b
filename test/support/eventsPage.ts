import type { AnyEventKind } from '../../src/kernel/event.js';

/** docs/events.md, from the declarations of the events. */
export const eventsPage = (kinds: readonly AnyEventKind[]): string =>
  [
    '# Events',
    '',
    'Made from the declarations in `src/domain/*/events.ts` by `npm run samples`; a test holds this page to them.',
    'Bodies are JSON. Personal fields are sealed together into one field `sealed`; see docs/architecture.md.',
    '',
    ...kinds.flatMap(section),
  ].join('\n');

const section = (kind: AnyEventKind): readonly string[] => [
  `## \`${kind.type}\``,
  '',
  kind.says,
  '',
  ...rows('Fields', kind.fields.describe),
  ...(kind.personal === undefined ? [] : rows('Personal, sealed', kind.personal.schema.describe)),
];

const rows = (title: string, describe: string): readonly string[] => [`${title}: \`${describe}\``, ''];
