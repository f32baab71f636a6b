import { localPresence } from '../../src/adapters/presence/local.js';
import { presenceContract } from './presence.js';

presenceContract('local', () => {
  const presence = localPresence();
  return { here: presence, there: presence };
});
