import type { Handlers } from '../rpc.js';

/** Longer device texts are cut: they only serve to tell sessions apart. */
export const deviceTextUnitsMax = 128;

export const coreRpcs = (): Handlers<'coreInitialize'> => ({
  // The answer must have its member even when there is nothing to say in it: clients wait for that.
  coreInitialize: ({ clientId, deviceType, deviceVersion, appVersion, noSubscribe }, call) => {
    call.initialize({
      clientId,
      deviceType: deviceType.slice(0, deviceTextUnitsMax),
      deviceVersion: deviceVersion.slice(0, deviceTextUnitsMax),
      appVersion: appVersion.slice(0, deviceTextUnitsMax),
      noSubscribe,
    });
    return Promise.resolve({ initialized: {} });
  },
});
