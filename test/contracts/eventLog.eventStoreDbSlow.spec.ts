import { troubledLogContract, type Trouble } from './eventLogTroubled.js';

const slow: Trouble = ({ state }) => {
  state.latencyMillis = 3;
  return () => Promise.resolve();
};

troubledLogContract('slow', slow);
