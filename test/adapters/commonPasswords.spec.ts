import assert from 'node:assert/strict';
import { it } from 'node:test';
import { commonPasswords } from '../../src/adapters/system/commonPasswords.js';

const common = commonPasswords();
const areCommon = (...passwords: readonly string[]) => Promise.all(passwords.map((password) => common.has(password)));

it('the commonest passwords are known, whatever their case', async () => {
  assert.deepEqual(await areCommon('password', 'PassWord', '12345678', 'qwertyuiop', 'starwars1', 'trustno1'), [
    ...[true, true, true, true, true, true],
  ]);
});

it('those that nobody lists are no common passwords, nor are words with one in them', async () => {
  assert.deepEqual(await areCommon('correct horse', 'my password', 'password for the chat', 'пароль для чата'), [
    ...[false, false, false, false],
  ]);
});
