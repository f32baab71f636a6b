import { done } from '../doorProtocol.js';
import { declareVerb } from '../verb.js';

const whileRunning =
  'a server runs on this data folder, so its vault opens the log: this is for one that refuses to start';

const goneOn = (deployment: string, vault: string): string =>
  `The log goes on with ${vault}, as deployment ${deployment}.\n` +
  'What was sealed before and does not open under its keys reads as erased from now on.\n';

export const vaultNew = declareVerb({
  name: 'vault new',
  access: 'write',
  says: 'Go on with a new vault where the one of the log is missing or empty.',
  arguments: {
    giveUpKeys: {
      kind: 'flag',
      says: 'what was sealed under the lost keys can never be read again',
      required: true,
    },
  },
  folders: 'environment',
  running: whileRunning,
  stopped: async ({ giveUpKeys }) => done(goneOn(await giveUpKeys('new'), 'a new vault')),
});

export const vaultKeep = declareVerb({
  name: 'vault keep',
  access: 'write',
  says: 'Go on with the vault that is there although it is an older copy, or does not open all of the log.',
  arguments: {
    giveUpKeys: { kind: 'flag', says: 'what was sealed under other keys can never be read again', required: true },
  },
  folders: 'environment',
  running: whileRunning,
  stopped: async ({ giveUpKeys }) => done(goneOn(await giveUpKeys('keep'), 'this vault')),
});
