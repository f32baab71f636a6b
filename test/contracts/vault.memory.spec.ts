import { memoryVault } from '../../src/adapters/vault/memory.js';
import { vaultContract } from './vault.js';

vaultContract('memory', memoryVault, { keeps: false });
