/** By what a client knows a file again. Its bytes never change, so neither do these. */
export type Validators = { readonly etag: string; readonly modifiedAt: Date };

/** The headers that make a request depend on what the client has already, by their names in lower case. */
export type Conditions = Readonly<
  Partial<
    Record<'if-match' | 'if-unmodified-since' | 'if-none-match' | 'if-modified-since' | 'if-range', string | undefined>
  >
>;

export type Condition = 'met' | 'not modified' | 'failed';

/** In the order of RFC 9110, 13.2.2: conditions on tags go before those on dates. */
export const conditionOf = (conditions: Conditions, validators: Validators): Condition => {
  if (!isStillThat(conditions, validators)) return 'failed';
  return isNewFor(conditions, validators) ? 'met' : 'not modified';
};

/** Whether the range that is asked for belongs to the bytes that the client has: otherwise it is sent all of them. */
export const mayAnswerRange = ({ 'if-range': header }: Conditions, { etag, modifiedAt }: Validators): boolean => {
  if (header === undefined) return true;
  // A weak tag, and a date that is not the very one, name other bytes for all that is known.
  return header.trim() === etag || secondOf(header) === secondsOf(modifiedAt);
};

const isStillThat = (conditions: Conditions, { etag, modifiedAt }: Validators): boolean => {
  const { 'if-match': tags, 'if-unmodified-since': date } = conditions;
  if (tags !== undefined) return tags.trim() === '*' || strongTagsIn(tags).includes(etag);
  const second = date === undefined ? undefined : secondOf(date);
  return second === undefined || secondsOf(modifiedAt) <= second;
};

const isNewFor = (conditions: Conditions, { etag, modifiedAt }: Validators): boolean => {
  const { 'if-none-match': tags, 'if-modified-since': date } = conditions;
  if (tags !== undefined) return tags.trim() !== '*' && !tagsIn(tags).some(({ tag }) => tag === etag);
  const second = date === undefined ? undefined : secondOf(date);
  return second === undefined || secondsOf(modifiedAt) > second;
};

type Tag = { readonly isWeak: boolean; readonly tag: string };

const tagsIn = (header: string): readonly Tag[] =>
  [...header.matchAll(/(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)].map(([, weak, tag = '']) => ({
    isWeak: weak !== undefined,
    tag,
  }));

const strongTagsIn = (header: string): readonly string[] =>
  tagsIn(header).flatMap(({ isWeak, tag }) => (isWeak ? [] : [tag]));

const secondsOf = (date: Date): number => Math.floor(date.getTime() / 1_000);

/** Undefined for what is no date: such a header says nothing. One form of dates has no zone, and means GMT. */
const secondOf = (text: string): number | undefined => {
  const millis = dateForm.test(text.trim()) ? Date.parse(/GMT\s*$/.test(text) ? text : `${text} GMT`) : Number.NaN;
  return Number.isNaN(millis) ? undefined : Math.floor(millis / 1_000);
};
const dateForm = /^(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? [\w :-]{10,40}$/i;
