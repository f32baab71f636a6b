import { memoryPresence } from '../support/presence.js';
import { presenceContract } from './presence.js';

presenceContract('local', () => {
  const presence = memoryPresence();
  return { here: presence, there: presence };
});
