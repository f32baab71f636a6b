import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import { documentStoreContract } from './documentStore.js';

documentStoreContract('memory', memoryDocuments, { keeps: false, runs: 100 });
