import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  judge,
  type DocumentsFacts,
  type LogFacts,
  type Mismatch,
  type PartName,
  type Parts,
  type VaultFacts,
} from '../../../src/domain/deployments/parts.js';
import type { IdentityState } from '../../../src/domain/deployments/state.js';

const vaultOf = (deployment: string | undefined, keys = 10): VaultFacts => ({
  status: 'there',
  deployment,
  founded: deployment !== undefined,
  keys,
  ownKeys: keys - 3,
});
const emptyVault: VaultFacts = { status: 'there', deployment: undefined, founded: false, keys: 0, ownKeys: 0 };
const identity = (deployment: string, former: readonly string[] = []): IdentityState => ({
  status: 'named',
  deployment,
  former,
  givenUp: former.length > 0,
});
type LogThere = Extract<LogFacts, { readonly status: 'there' }>;
const logOf = (deployment: string, former: readonly string[] = []): LogThere => ({
  status: 'there',
  identity: identity(deployment, former),
  keys: 10,
  missingKeys: 0,
  sealed: 0,
  unopened: 0,
});
const unnamedLog = (sealed: number, unopened = 0): LogFacts => ({
  status: 'there',
  identity: { status: 'unnamed' },
  keys: 0,
  missingKeys: 0,
  sealed,
  unopened,
});
const documentsOf = (deployment: string): DocumentsFacts => ({ status: 'named', deployment });
const none = { status: 'missing' } as const;
const empty: DocumentsFacts = { status: 'empty' };

const whole: Parts = { vault: vaultOf('a'), log: logOf('a'), documents: documentsOf('a') };
const fresh: Parts = { vault: none, log: none, documents: empty };

const isRefused = (parts: Parts, part: PartName, kind: Mismatch['kind']): void => {
  const verdict = judge(parts);
  const refusal = verdict.status === 'refused' ? [verdict.part, verdict.because.kind] : verdict;
  assert.deepEqual(refusal, [part, kind]);
};
const isFound = (parts: Parts): void => {
  assert.deepEqual(judge(parts), { status: 'found' });
};

describe('vault, log and read models', () => {
  it('belong together when all are new, or all are of one deployment', () => {
    isFound(fresh);
    isFound(whole);
  });

  it('may be without read models, or with some that nobody has named', () => {
    isFound({ ...whole, documents: empty });
    isFound({ ...whole, documents: { status: 'unnamed' } });
    isRefused({ ...whole, documents: { status: 'strangers' } }, 'documents', 'strangers');
  });

  it('are not without the vault, missing or emptied, whatever else there is', () => {
    for (const vault of [none, emptyVault]) {
      for (const documents of [empty, documentsOf('a'), documentsOf('b')]) {
        isRefused({ vault, log: logOf('a'), documents }, 'vault', 'missing');
      }
    }
  });

  it('are not without the log, whatever else there is', () => {
    isRefused({ ...whole, log: none }, 'log', 'missing');
    isRefused({ ...whole, log: none, documents: empty }, 'log', 'missing');
    isRefused({ ...whole, log: none, vault: none }, 'log', 'missing');
    isRefused({ ...fresh, documents: { status: 'unnamed' } }, 'log', 'missing');
    isRefused({ ...fresh, vault: { ...emptyVault, keys: 4, ownKeys: 3 } }, 'log', 'missing');
  });

  it('are begun once more when the first start was cut short', () => {
    isFound({ ...fresh, vault: { ...emptyVault, deployment: 'a', keys: 1 } });
  });

  it('of two deployments are refused, naming the one that stands alone', () => {
    isRefused({ ...whole, vault: vaultOf('b') }, 'vault', 'another');
    isRefused({ ...whole, log: logOf('b') }, 'log', 'another');
    isRefused({ ...whole, documents: documentsOf('b') }, 'documents', 'another');
  });

  it('take no older vault, and say by how many keys it is older', () => {
    const verdict = judge({ ...whole, vault: vaultOf('a', 7) });
    assert.deepEqual(verdict, { status: 'refused', part: 'vault', because: { kind: 'older', by: 3 } });
    isFound({ ...whole, vault: vaultOf('a', 12) });
    const uncounted = judge({ ...whole, log: { ...logOf('a'), missingKeys: 2 } });
    assert.deepEqual(uncounted, { status: 'refused', part: 'vault', because: { kind: 'older', by: 2 } });
    isRefused({ ...whole, vault: vaultOf(undefined, 7) }, 'vault', 'older');
    isRefused({ ...whole, vault: vaultOf(undefined, 10) }, 'vault', 'nameless');
  });

  it('take no vault whose keys were given up, and make the read models of its time anew', () => {
    const log = logOf('b', ['a']);
    isRefused({ ...whole, log }, 'vault', 'given up');
    for (const documents of [documentsOf('a'), { status: 'unnamed' } as const]) {
      assert.deepEqual(judge({ vault: vaultOf('b'), log, documents }), { status: 'rebuild' });
    }
  });
});

describe('a log of before there were names', () => {
  it('takes a vault that opens it', () => {
    isFound({ vault: vaultOf(undefined), log: unnamedLog(20), documents: { status: 'unnamed' } });
  });

  it('takes no empty or missing vault once something is sealed', () => {
    isRefused({ vault: none, log: unnamedLog(1), documents: empty }, 'vault', 'missing');
    isRefused({ vault: emptyVault, log: unnamedLog(1, 1), documents: empty }, 'vault', 'missing');
    isFound({ vault: none, log: unnamedLog(0), documents: empty });
  });

  it('takes no vault that leaves something closed', () => {
    isRefused({ vault: vaultOf(undefined), log: unnamedLog(20, 1), documents: empty }, 'vault', 'does not open');
  });

  it('takes no read models of another name than the vault', () => {
    isRefused({ vault: vaultOf('a'), log: unnamedLog(1), documents: documentsOf('b') }, 'documents', 'another');
    isFound({ vault: vaultOf('a'), log: unnamedLog(1), documents: documentsOf('a') });
  });
});

describe('a store of files', () => {
  const marked = { deployment: 'a' };

  it('fits the deployment that it is marked for, and any while it has no mark', () => {
    isFound({ ...whole, files: marked });
    isFound({ ...whole, files: undefined });
    // The first start was cut short before the log was named.
    isFound({ vault: { ...emptyVault, deployment: 'a' }, log: none, documents: empty, files: marked });
  });

  it('of another deployment is refused by its name, also where the rest is new', () => {
    const other = { ...whole, files: { deployment: 'b' } };
    isRefused(other, 'files', 'another');
    const verdict = judge(other);
    assert.deepEqual(verdict.status === 'refused' && verdict.because, { kind: 'another', has: 'b', wanted: 'a' });
    isRefused({ ...fresh, files: marked }, 'files', 'another');
    isRefused({ vault: vaultOf(undefined), log: unnamedLog(0), documents: empty, files: marked }, 'files', 'another');
  });

  it('stays that of its log when keys are given up', () => {
    isFound({ vault: vaultOf('b'), log: logOf('b', ['a']), documents: empty, files: marked });
  });

  it('is at fault only where no other part is', () => {
    isRefused({ ...whole, vault: none, files: { deployment: 'b' } }, 'vault', 'missing');
  });
});
