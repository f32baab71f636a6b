import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { startStandIn, type StandIn } from '../support/eventStoreDb/standIn.js';
import { eventLogContract, reopenable } from './eventLog.js';

/** Begins what troubles the server, and gives what ends it. */
export type Trouble = (standIn: StandIn) => () => Promise<void>;

/** The contract over a stand-in with a trouble. Each has a file of its own, for together they outlast the time of one. */
export const troubledLogContract = (name: string, trouble: Trouble): void => {
  eventLogContract(
    `EventStoreDB, over a stand-in server that is ${name}`,
    async () => {
      const standIn = await startStandIn();
      const { connectionString } = standIn;
      const open = () => eventStoreDbEventLog({ connectionString, answerMillis: 200, silenceMillis: 200 });
      const end = trouble(standIn);
      return reopenable(open, async () => {
        await end();
        standIn.kill();
      });
    },
    { canReopen: true, modelRuns: 1, isAtomic: false },
  );
};
