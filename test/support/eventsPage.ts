import { storedType } from '../../src/kernel/codec.js';
import type { EventKind } from '../../src/kernel/declareEvents.js';

/** docs/events.md, from the declarations of the events. */
export const eventsPage = (kinds: readonly EventKind[]): string =>
  [
    '# Events',
    '',
    'Made from the declarations in `src/domain/*/events.ts` by `npm run samples`; a test holds this page to them.',
    'Bodies are JSON. Personal fields are sealed together into one field `sealed`; see docs/architecture.md.',
    '',
    ...kinds.flatMap(section),
  ].join('\n');

const section = (kind: EventKind): readonly string[] => [
  `## \`${storedType(kind)}\``,
  '',
  kind.says,
  '',
  ...rows('Fields', kind.fields.describe),
  ...(kind.personal === undefined ? [] : rows('Personal, sealed', kind.personal.schema.describe)),
];

const rows = (title: string, describe: string): readonly string[] => [`${title}: \`${describe}\``, ''];
