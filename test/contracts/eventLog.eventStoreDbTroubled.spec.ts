import { eventStoreDbEventLog } from '../../src/adapters/eventLog/eventStoreDb.js';
import { startStandIn, type StandIn } from '../support/eventStoreDb/standIn.js';
import { eventLogContract, reopenable } from './eventLog.js';

/** Begins what troubles the server, and gives what ends it. */
type Trouble = (standIn: StandIn) => () => Promise<void>;

const appendsBetweenKills = 150;
const silences = 200;

// Counted in appends, so that it does not depend on how busy the machine is.
const killed: Trouble = (standIn) => {
  let restarting = Promise.resolve();
  let appends = 0;
  const count = (): void => {
    appends += 1;
    if (appends % appendsBetweenKills !== 0) return;
    standIn.kill();
    restarting = restarting.then(() => standIn.start());
  };
  standIn.state.events.on('written', count);
  return async () => {
    standIn.state.events.off('written', count);
    await restarting;
  };
};

// Appends are left out: after one that is not answered, positions need not follow the order of the calls.
const silent: Trouble = ({ state }) => {
  for (let count = 0; count < silences; count += 1) {
    state.faults.reads.next('silence', { skip: 60 });
    state.faults.subscriptions.next('silence', { skip: 8 });
  }
  return () => Promise.resolve();
};

const slow: Trouble = ({ state }) => {
  state.latencyMillis = 3;
  return () => Promise.resolve();
};

for (const [name, trouble] of Object.entries({ killed, silent, slow })) {
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
}
