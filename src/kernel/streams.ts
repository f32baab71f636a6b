/** All streams of one kind: `<prefix>-<key>`. A document with one stream has that stream's key as its own. */
export type StreamFamily = {
  readonly named: (key: string) => string;
  /** `undefined` for a stream of another family. */
  readonly keyOf: (stream: string) => string | undefined;
};

export const streamFamily = (prefix: string): StreamFamily => {
  const head = `${prefix}-`;
  return {
    named: (key) => head + key,
    keyOf: (stream) => (stream.startsWith(head) ? stream.slice(head.length) : undefined),
  };
};
