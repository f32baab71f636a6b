import { done, refused } from '../doorProtocol.js';
import { declareVerb } from '../verb.js';

export const userPassword = declareVerb({
  name: 'user password',
  access: 'write',
  says: 'Give another password to somebody who forgot theirs, and print it this once. All their sessions end.',
  arguments: {
    user: {
      kind: 'text',
      placeholder: 'user',
      unitsMax: 254,
      says: 'by id, username or e-mail address',
      required: true,
      isOperand: true,
    },
    json: { kind: 'flag', says: 'one JSON object on one line' },
  },
  folders: 'option',
  running: async ({ users }, { user, json }) => {
    const given = await users.password(user);
    if ('objection' in given) return refused('BAD_ARGUMENTS', given.objection);
    return done(json ? `${JSON.stringify(given)}\n` : `id        ${given.id}\npassword  ${given.password}\n`);
  },
  stopped: 'no server runs on this data folder, and a running one gives passwords',
});
