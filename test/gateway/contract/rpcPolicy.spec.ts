import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { rpcPolicy } from '../../../src/gateway/contract/rpcPolicy.js';
import { rpcTable, type AnyRpc } from '../../../src/gen/rpcs.js';
import { protocolPage } from '../../support/protocolPage.js';
import { protocolRoot } from '../../wire/definitions.js';

const root = protocolRoot();
const all = Object.values(rpcTable) as readonly AnyRpc[];
const policyOf = ({ name }: AnyRpc) => rpcPolicy[name];
const namesOf = (fits: (rpc: AnyRpc) => boolean): readonly string[] => all.filter(fits).map(({ path }) => path);

describe('the policy of RPCs', () => {
  it('lets in without a session what leads to one, or asks about an invite', () => {
    assert.deepEqual(
      namesOf((rpc) => policyOf(rpc).session === 'open').map((path) => path.split('.')[1]),
      [
        ...['legacySignIn', 'signUp', 'lookupInvite', 'initialize', 'authorize'],
        ...['resetPassword', 'verifyEmail', 'resendEmailVerification'],
        ...['createEmailVerificationChallenge', 'signIn', 'completeSignIn'],
      ],
    );
  });

  it('has a repetition by nonce where the request carries one', () => {
    const byNonce = namesOf((rpc) => policyOf(rpc).repeat === 'nonce');
    assert.deepEqual(byNonce, ['messages.sendMessage']);
    for (const rpc of all.filter((one) => policyOf(one).repeat === 'nonce'))
      assert.equal(root.lookupType(rpc.request.typeName).fields['clientId']?.type, 'fixed64', rpc.path);
  });

  it('lets everything that is asked for be asked again, and nothing that is done', () => {
    const isQuestion = ({ path }: AnyRpc): boolean => /\.(?:get|list|lookup|search|download)/.test(path);
    assert.deepEqual(
      namesOf((rpc) => policyOf(rpc).repeat === 'safe'),
      namesOf(isQuestion),
    );
    assert.deepEqual(
      namesOf((rpc) => policyOf(rpc).order === 'read'),
      namesOf((rpc) => isQuestion(rpc) && policyOf(rpc).order !== 'aside'),
    );
  });

  it('lets reading go on with a full disk, and all that deletes, leaves, removes or revokes', () => {
    const lets = /\.(?:delete|leave|remove|revoke|unregister)/;
    assert.deepEqual(
      namesOf((rpc) => policyOf(rpc).stores === 'less'),
      namesOf(({ path }) => lets.test(path)),
    );
    for (const rpc of all.filter((one) => policyOf(one).order === 'read'))
      assert.equal(policyOf(rpc).stores, 'nothing', rpc.path);
  });

  it('limits like a sign-in whatever checks a password or a second factor', () => {
    const secrets = /^(?:password|currentPassword|recoveryCode)$/;
    const checks = ({ request, path }: AnyRpc): boolean =>
      path !== 'auth.signUp' && root.lookupType(request.typeName).fieldsArray.some(({ name }) => secrets.test(name));
    assert.deepEqual(
      namesOf((rpc) => policyOf(rpc).limit === 'signIn'),
      namesOf(checks),
    );
  });
});

describe('docs/protocol.md', () => {
  it('has every RPC as it is', async () => {
    const page = readFileSync('docs/protocol.md', 'utf8');
    const expected = await protocolPage(page);
    if (process.env['WRITE_DOCS'] === 'yes') writeFileSync('docs/protocol.md', expected);
    else assert.equal(page, expected, 'run `npm run docs`');
  });
});
