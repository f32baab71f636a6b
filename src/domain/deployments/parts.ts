import type { DocumentsOwner } from '../../kernel/ports/documentStore.js';
import type { IdentityState } from './state.js';

/**
 * The facts that a look at a vault gives. `keys`: how many names it has ever held, `ownKeys` those besides its own
 * housekeeping.
 */
export type VaultFacts =
  | { readonly status: 'missing' }
  | {
      readonly status: 'there';
      readonly deployment: string | undefined;
      /** A log has been named after this vault. */
      readonly founded: boolean;
      readonly keys: number;
      readonly ownKeys: number;
    };

/** The facts that a look at a log gives. */
export type LogFacts =
  | { readonly status: 'missing' }
  | {
      readonly status: 'there';
      readonly identity: IdentityState;
      /** How many keys the vault of this name had at least. */
      readonly keys: number;
      /** Of the keys that the newest events of a named log are sealed under, as many as the vault has never had. */
      readonly missingKeys: number;
      /** Sealed events among those that were looked at, which are all of an unnamed log's that are needed to tell. */
      readonly sealed: number;
      /** Of these, how many the vault does not open. */
      readonly unopened: number;
    };

/**
 * The facts that a look at the read models gives. `strangers`: documents without a name that speak of events the log
 * does not have.
 */
export type DocumentsFacts = DocumentsOwner | { readonly status: 'strangers' };

/** The deployment that a store of files is marked for. */
export type FilesFacts = { readonly deployment: string };

export type Parts = {
  readonly vault: VaultFacts;
  readonly log: LogFacts;
  readonly documents: DocumentsFacts;
  /** Absent while the store has no mark, or lies in the data folder and goes wherever that goes. */
  readonly files?: FilesFacts | undefined;
};

export type PartName = keyof Parts;

/**
 * `found`: nothing is lost, and each part without a name gets one. `rebuild`: so are the read models, which are of
 * before keys were given up.
 */
export type PartsVerdict =
  | { readonly status: 'found' }
  | { readonly status: 'rebuild' }
  | { readonly status: 'refused'; readonly part: PartName; readonly because: Mismatch };

/** Why a part does not fit the others, and the consequence for the person who has to choose. */
export type Mismatch =
  | { readonly kind: 'missing' }
  | { readonly kind: 'another'; readonly has: string; readonly wanted: string }
  | { readonly kind: 'given up'; readonly has: string }
  | { readonly kind: 'nameless' }
  | { readonly kind: 'older'; readonly by: number }
  | { readonly kind: 'does not open'; readonly unopened: number; readonly sealed: number }
  | { readonly kind: 'strangers' };

const found: PartsVerdict = { status: 'found' };
const refused = (part: PartName, because: Mismatch): PartsVerdict => ({ status: 'refused', part, because });

/**
 * Whether vault, log, read models and the store of files are of one deployment. Read models may be missing: they follow from the log.
 * The sweep would remove from a store what its own log does not know to be used, so that of another deployment is refused.
 */
export const judge = (parts: Parts): PartsVerdict => {
  const verdict = ofTheOthers(parts);
  return verdict.status === 'refused' ? verdict : (ofFiles(parts) ?? verdict);
};

const ofFiles = ({ vault, log, files }: Parts): PartsVerdict | undefined => {
  if (files === undefined) return undefined;
  const { deployment: has } = files;
  const identity = log.status === 'there' && log.identity.status === 'named' ? log.identity : undefined;
  const wanted = identity?.deployment ?? (vault.status === 'there' ? vault.deployment : undefined);
  // Files of before keys were given up are of the same log. Those that do not open are released as all others are.
  if (has === wanted || identity?.former.includes(has) === true) return undefined;
  return refused('files', { kind: 'another', has, wanted: wanted ?? 'none' });
};

const ofTheOthers = ({ vault, log, documents }: Parts): PartsVerdict => {
  if (log.status === 'missing') return withoutLog(vault, documents);
  if (documents.status === 'strangers') return refused('documents', { kind: 'strangers' });
  const { identity } = log;
  return identity.status === 'named'
    ? beside({ ...log, identity }, vault, documents)
    : besideUnnamed(log, vault, documents);
};

/**
 * A vault that has made no keys but its own, and that no log was named after, is left by a first start that was cut
 * short.
 */
const withoutLog = (vault: VaultFacts, documents: DocumentsFacts): PartsVerdict => {
  const isUsed = vault.status === 'there' && (vault.founded || vault.ownKeys > 0);
  return isUsed || documents.status !== 'empty' ? refused('log', { kind: 'missing' }) : found;
};

type LogThere = Extract<LogFacts, { readonly status: 'there' }>;
type Named = Extract<IdentityState, { readonly status: 'named' }>;

const beside = (log: LogThere & { identity: Named }, vault: VaultFacts, documents: DocumentsFacts): PartsVerdict => {
  const { deployment: wanted, former } = log.identity;
  if (vault.status === 'missing' || (vault.deployment === undefined && vault.ownKeys === 0)) {
    return refused('vault', { kind: 'missing' });
  }
  const { deployment: has } = vault;
  if (has === undefined)
    return refused('vault', log.keys > vault.keys ? olderBy(log, vault.keys) : { kind: 'nameless' });
  if (former.includes(has)) return refused('vault', { kind: 'given up', has });
  if (has !== wanted) {
    // Two against one: where the read models side with the vault, the log is the stranger.
    const isLogAlone = documents.status === 'named' && documents.deployment === has;
    return isLogAlone
      ? refused('log', { kind: 'another', has: wanted, wanted: has })
      : refused('vault', { kind: 'another', has, wanted });
  }
  if (vault.keys < log.keys) return refused('vault', olderBy(log, vault.keys));
  if (log.missingKeys > 0) return refused('vault', { kind: 'older', by: log.missingKeys });
  if (documents.status === 'named') return ofDocuments(documents.deployment, log.identity);
  return documents.status === 'unnamed' && log.identity.givenUp ? { status: 'rebuild' } : found;
};

const olderBy = (log: LogThere, keys: number): Mismatch => ({ kind: 'older', by: log.keys - keys });

const ofDocuments = (has: string, { deployment: wanted, former }: Named): PartsVerdict => {
  if (has === wanted) return found;
  return former.includes(has) ? { status: 'rebuild' } : refused('documents', { kind: 'another', has, wanted });
};

/** A log of before there were names, or one that was restored to such a time. */
const besideUnnamed = (log: LogThere, vault: VaultFacts, documents: DocumentsFacts): PartsVerdict => {
  const ownKeys = vault.status === 'there' ? vault.ownKeys : 0;
  if (ownKeys === 0 && log.sealed > 0) return refused('vault', { kind: 'missing' });
  if (log.unopened > 0) return refused('vault', { kind: 'does not open', unopened: log.unopened, sealed: log.sealed });
  const wanted = vault.status === 'there' ? vault.deployment : undefined;
  if (documents.status !== 'named' || documents.deployment === wanted) return found;
  return refused('documents', { kind: 'another', has: documents.deployment, wanted: wanted ?? 'none' });
};
