import type { Entity } from '../../domain/messages/events.js';
import type { UserId } from '../../kernel/ids.js';
import type { ScopeHasher } from '../../kernel/ports/sealer.js';
import type { HashedTerm } from './documents.js';
import { normalUnitsMax } from './normalForm.js';
import { unitsOf, unspacedCharacter, type Unit } from './units.js';
import { firstLetters, lettersIn, marksIn, pathOfBeginning, pathOfWord } from './wordPaths.js';

/** The part of a message by which it is found. */
export type Searchable = {
  readonly text: string;
  readonly entities: readonly Pick<Entity, 'kind' | 'url'>[];
  readonly mentions: readonly UserId[];
};

/** A text that the index has a posting list for. The first letter tells what it is, so that no two kinds are alike. */
export type Term = string;

const wordMark = 'w';
const wordsMark = 'o';
const wordTerm = (word: string): Term => `${wordMark}${word}`;
/** No list has it: it leads to those of all words with this beginning. */
const wordsTerm = (beginning: string): Term => `${wordsMark}${beginning}`;
const beginningTerm = (letters: string): Term => `p${letters}`;
const characterTerm = (character: string): Term => `c${character}`;
const pairTerm = (first: string, second: string): Term => `b${first}${second}`;
const signTerm = (sign: string): Term => `s${sign}`;

/** The hash under which a term has its list; of a term that leads to several the beginning of theirs. */
export const hashOfTerm = (term: Term, hash: ScopeHasher): HashedTerm => {
  if (term.startsWith(wordMark)) return pathOfWord(term.slice(wordMark.length), hash);
  return term.startsWith(wordsMark) ? pathOfBeginning(term.slice(wordsMark.length), hash) : hash(term);
};

/**
 * A word is found by its beginning from the fewest of these letters on. Beginnings of these lengths have lists. For one of
 * another length the longest of these that it has is narrowed down to the words with all of it.
 */
export const beginningLengths = [3, 4, 6] as const;

/** The beginnings of a word that have lists, the shortest first. */
const beginningsOf = (word: string): readonly string[] => {
  const letters = lettersIn(word);
  return beginningLengths.filter((length) => length <= letters).map((length) => firstLetters(word, length));
};

/** Different terms of one message in the index. */
export const messageTermsMax = 2_048;

/**
 * The terms of a message. A query that finds the message has only terms of these, unless it asks for what comes behind
 * `messageTermsMax`: the earliest of the text are kept, then those of hosts and of ids.
 */
export const termsOf = (message: Searchable): ReadonlySet<Term> => {
  const terms = new Set<Term>();
  for (const units of fieldsOf(message)) {
    let before: Unit | undefined;
    for (const unit of units) {
      addTerms(terms, unit, before);
      if (terms.size >= messageTermsMax) return new Set([...terms].slice(0, messageTermsMax));
      before = unit;
    }
  }
  return terms;
};

/**
 * About how many terms the index will hold of a text, with the part of one for each further hash that its words take, seen
 * without taking it apart: the writer is charged for them before any is made.
 */
export const termsExpected = (text: string): number => termsExpectedOf({ text, entities: [] });

/** The same of all fields of a message. */
export const termsExpectedOf = ({ text, entities }: Pick<Searchable, 'text' | 'entities'>): number => {
  const expected: Expected = { terms: 0, marks: 0 };
  expect(expected, text);
  for (const { url } of entities) if (url !== undefined) expect(expected, hostOf(url));
  return Math.min(expected.terms, messageTermsMax) + Math.ceil(expected.marks / marksPerTerm);
};

type Expected = { terms: number; marks: number };

const expect = (expected: Expected, text: string): void => {
  const short = text.slice(0, normalUnitsMax);
  expected.terms += new Set(short.match(signs)).size;
  for (const word of new Set(short.split(gaps))) {
    // Those behind the bound are neither kept nor hashed.
    if (expected.terms >= messageTermsMax) return;
    const characters = word.match(unspacedCharacter)?.length ?? 0;
    const letters = word.length - characters;
    // Each character makes two, with its neighbour.
    expected.terms += 2 * characters;
    if (letters === 0) continue;
    expected.terms += 1 + beginningLengths.filter((length) => length <= letters).length;
    expected.marks += marksIn(letters);
  }
};

/** A mark is a hash alone, of 3.4 µs; a term, for which 5 are charged, is one as well, and a posting that is written. */
const marksPerTerm = 1.5;

const gaps = /[^\p{L}\p{N}\p{M}]+/u;
const signs = /[^\p{L}\p{N}\p{M}\s]/gu;

const addTerms = (terms: Set<Term>, { kind, text, isJoined }: Unit, before: Unit | undefined): void => {
  if (kind === 'word') {
    terms.add(wordTerm(text));
    for (const beginning of beginningsOf(text)) terms.add(beginningTerm(beginning));
  } else if (kind === 'character') {
    terms.add(characterTerm(text));
    if (isJoined && before?.kind === 'character') terms.add(pairTerm(before.text, text));
  } else terms.add(signTerm(text));
};

/** The text, the hosts of links behind it, and the ids of those whom it names. */
const fieldsOf = ({ text, entities, mentions }: Searchable): readonly (readonly Unit[])[] => [
  unitsOf(text),
  ...entities.flatMap(({ url }) => (url === undefined ? [] : [unitsOf(hostOf(url))])),
  ...mentions.map((user) => unitsOf(user.toString())),
];

const host = /^[a-z][a-z\d+.-]*:\/*(?:[^/?#@]*@)?([^/?#:]*)/i;

/** A link without a scheme begins with its host. */
const hostOf = (url: string): string => host.exec(url)?.[1] ?? /^[^/?#:]*/.exec(url)?.[0] ?? '';

/** A query, taken apart: a message is found when it has all of the pieces. */
export type Query = {
  /** The parts between spaces. The units of a piece are found only side by side. */
  readonly pieces: readonly (readonly Unit[])[];
  /** At most `queryTermsMax` that a message must have, the rarer ones by all appearance. */
  readonly terms: readonly Term[];
  /** Absent where each term has a list that is as narrow as the query. */
  readonly narrowing?: Narrowing;
};

/** Of the messages in the list of the term `of` only those are meant that have one of the words to which `words` leads. */
export type Narrowing = { readonly of: Term; readonly words: Term };

export const queryTermsMax = 8;
/** Units of a query that are looked for; those behind them are left out, because each is compared with each of a candidate. */
export const queryUnitsMax = 128;

/** Undefined for a query in which there is nothing to look for. */
export const queryOf = (text: string): Query | undefined => {
  const pieces: Unit[][] = [];
  for (const unit of unitsOf(text).slice(0, queryUnitsMax)) {
    const piece = unit.isJoined ? pieces.at(-1) : undefined;
    if (piece === undefined) pieces.push([unit]);
    else piece.push(unit);
  }
  if (pieces.length === 0) return undefined;
  const terms = chosenTerms(pieces);
  const narrowing = narrowingOf(pieces.at(-1)?.at(-1));
  return narrowing !== undefined && terms.includes(narrowing.of) ? { pieces, terms, narrowing } : { pieces, terms };
};

/** Where the last word is a beginning that has no list of its own. */
const narrowingOf = (last: Unit | undefined): Narrowing | undefined => {
  const longest = last?.kind === 'word' ? beginningsOf(last.text).at(-1) : undefined;
  if (last === undefined || longest === undefined || longest === last.text) return undefined;
  return { of: beginningTerm(longest), words: wordsTerm(last.text) };
};

const chosenTerms = (pieces: readonly (readonly Unit[])[]): readonly Term[] => {
  const last = pieces.at(-1)?.at(-1);
  const terms = new Set<Term>();
  for (const units of pieces) for (const at of units.keys()) addNeeded(terms, { units, at, last });
  return [...terms].sort((one, other) => rarity(other) - rarity(one)).slice(0, queryTermsMax);
};

type Needed = { readonly units: readonly Unit[]; readonly at: number; readonly last: Unit | undefined };

const addNeeded = (terms: Set<Term>, { units, at, last }: Needed): void => {
  const unit = units[at];
  if (unit === undefined) return;
  if (unit.kind === 'sign') terms.add(signTerm(unit.text));
  else if (unit.kind === 'word') {
    const beginning = unit === last ? beginningsOf(unit.text).at(-1) : undefined;
    terms.add(beginning === undefined ? wordTerm(unit.text) : beginningTerm(beginning));
  } else {
    const [before, after] = [units[at - 1], units[at + 1]];
    if (before?.kind === 'character') terms.add(pairTerm(before.text, unit.text));
    else if (after?.kind !== 'character') terms.add(characterTerm(unit.text));
  }
};

/** Longer words are rarer; signs are in nearly every message. */
const rarity = (term: Term): number => (term.startsWith('s') ? 0 : term.length);

/** Whether the message has all pieces: the last word may be the beginning of one of its words. */
export const isFoundBy = ({ pieces }: Query, message: Searchable): boolean => {
  const fields = fieldsOf(message);
  return pieces.every((piece, at) => {
    const beginsWord = at === pieces.length - 1;
    return fields.some((units) => units.some((_, from) => standsAt(units, from, { piece, beginsWord })));
  });
};

type Sought = { readonly piece: readonly Unit[]; readonly beginsWord: boolean };

const standsAt = (units: readonly Unit[], from: number, { piece, beginsWord }: Sought): boolean =>
  piece.every(({ kind, text }, at) => {
    const unit = units[from + at];
    if (unit?.kind !== kind || (at > 0 && !unit.isJoined)) return false;
    if (unit.text === text) return true;
    const isBeginning = beginsWord && at === piece.length - 1 && kind === 'word' && beginningsOf(text).length > 0;
    return isBeginning && unit.text.startsWith(text);
  });
