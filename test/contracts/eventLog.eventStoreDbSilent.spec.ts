import { troubledLogContract, type Trouble } from './eventLogTroubled.js';

const silences = 200;

// Appends are left out: after one that is not answered, positions need not follow the order of the calls.
const silent: Trouble = ({ state }) => {
  for (let count = 0; count < silences; count += 1) {
    state.faults.reads.next('silence', { skip: 60 });
    state.faults.subscriptions.next('silence', { skip: 8 });
  }
  return () => Promise.resolve();
};

troubledLogContract('silent', silent);
