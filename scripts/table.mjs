// Of a run of tests, a line for each suite that stands at the top of a file: how many of its tests passed, failed or
// were skipped, and why.

const countless = () => ({ passed: 0, failed: 0, skipped: 0, reasons: new Set() });

/** Counts what comes over the stream; gives what makes the table of it. */
export const tableOf = (stream) => {
  const rows = new Map();
  // Tests come before the suite that they are in.
  let within = countless();

  const count = (outcome, { skip }) => {
    within[skip === undefined ? outcome : 'skipped'] += 1;
    if (typeof skip === 'string') within.reasons.add(skip);
  };
  const closeRow = (name) => {
    const row = rows.get(name) ?? countless();
    for (const outcome of ['passed', 'failed', 'skipped']) row[outcome] += within[outcome];
    for (const reason of within.reasons) row.reasons.add(reason);
    rows.set(name, row);
    within = countless();
  };
  const noted = (outcome) => (event) => {
    const isSuite = event.details.type === 'suite' && event.skip === undefined;
    if (!isSuite) count(outcome, event);
    if (event.nesting === 0) closeRow(isSuite || event.skip !== undefined ? event.name : event.name.split(': ')[0]);
  };
  stream.on('test:pass', noted('passed'));
  stream.on('test:fail', noted('failed'));
  return () => printed([...rows]);
};

const printed = (rows) => {
  const lines = rows.map(([name, { passed, failed, skipped, reasons }]) => [
    name,
    ...[passed, failed, skipped].map(String),
    [...reasons].join('; '),
  ]);
  const all = [['suite', 'passed', 'failed', 'skipped', ''], ...lines];
  const widths = all[0].map((_, column) => Math.max(...all.map((line) => line[column].length)));
  const cell = (text, column) => (/^\d+$/.test(text) ? text.padStart(widths[column]) : text.padEnd(widths[column]));
  return all.map((line) => line.map(cell).join('  ').trimEnd()).join('\n');
};
