import { memoryBlobs } from '../../src/adapters/blobs/memory.js';
import { blobsContract } from './blobs.js';

blobsContract('memory', () => Promise.resolve(memoryBlobs()));
