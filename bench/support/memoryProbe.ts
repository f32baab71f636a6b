import { memoryOfProcess } from './memory.js';
import { serveCalls } from './helper.js';

/** Loaded into a server before its own code, so that whoever measures it can ask for its memory. */
const calls = { memory: memoryOfProcess };

export type ProbeCalls = typeof calls;

serveCalls(calls);
// A server that is told to stop does not wait for who measures it.
process.channel?.unref();
