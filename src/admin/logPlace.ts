/** Where a log is kept. */
export type LogPlace =
  | { readonly engine: 'lmdb'; readonly dataDir: string }
  | { readonly engine: 'eventStoreDb'; readonly connectionString: string };

/** From `lmdb:FOLDER`, `esdb://…` or `esdb+discover://…`; `undefined` for anything else. */
export const logPlace = (text: string): LogPlace | undefined => {
  if (/^esdb(\+discover)?:\/\/./.test(text)) return { engine: 'eventStoreDb', connectionString: text };
  const dataDir = /^lmdb:(.+)$/s.exec(text)?.[1];
  return dataDir === undefined ? undefined : { engine: 'lmdb', dataDir };
};
