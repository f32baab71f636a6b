import { troubledLogContract, type Trouble } from './eventLogTroubled.js';

const appendsBetweenKills = 150;

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

troubledLogContract('killed', killed);
