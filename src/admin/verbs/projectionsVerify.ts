import { done, type VerbOutcome } from '../doorProtocol.js';
import type { ComparedType, ProjectionsAdmin, Verified } from '../projections.js';
import { declareVerb } from '../verb.js';
import type { VerbCall } from '../verbCall.js';
import { generation, json, unlessRefused } from './generationArguments.js';

type Given = { readonly generation: string; readonly json: boolean };

export const projectionsVerify = declareVerb({
  name: 'projections verify',
  access: 'write',
  says: 'Compare a generation of read models with the one that serves; ends with 1 when they differ.',
  arguments: { generation: { ...generation, says: 'the one to compare' }, json },
  folders: 'environment',
  running: ({ projections }, given, call) => verified(projections, given, call),
  stopped: ({ projections }, given, call) => verified(projections, given, call),
});

const verified = ({ verify }: ProjectionsAdmin, given: Given, call: VerbCall): Promise<VerbOutcome> =>
  unlessRefused(async () => {
    const found = await verify(given.generation, call);
    return done(given.json ? `${JSON.stringify(found)}\n` : lines(found), found.isEqual ? 0 : 1);
  });

const lines = ({ generations: [one, other], isEqual, position, types }: Verified): string => {
  const verdict = isEqual ? 'hold the same' : 'differ';
  const documents = types.reduce((all, type) => all + type.documents, 0);
  return [
    `${one} and ${other} ${verdict}: ${documents.toString()} documents of ${types.length.toString()} types, at ${position} or later\n`,
    ...types.map(lineOf),
  ].join('');
};

const lineOf = ({ collection, documents, differing, digests, slices }: ComparedType): string => {
  if (differing === 0) return `${collection}  ${documents.toString()} documents, ${digests[0]}\n`;
  const named = slices.map(({ from, to, keys, digests: [left, right] }) =>
    [
      `  from ${from} to ${to}: ${left.slice(0, shownDigits)} and ${right.slice(0, shownDigits)}`,
      ...keys.map((key) => `    ${key}`),
      '',
    ].join('\n'),
  );
  return `${collection}  ${differing.toString()} of ${documents.toString()} documents DIFFER, in\n${named.join('')}`;
};

const shownDigits = 12;
