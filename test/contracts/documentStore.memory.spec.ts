import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { documentStoreContract, newStoreContract } from './documentStore.js';

documentStoreContract('memory', memoryDocuments, { keeps: false, runs: 100 });
newStoreContract('memory', memoryDocuments);
