import { createRequire } from 'node:module';
import type * as Driver from 'mongodb';

/** MongoDB's driver, loaded by the first call: loading takes a tenth of a start, and a server without MongoDB needs none. */
export const driver = (): typeof Driver => (loaded ??= createRequire(import.meta.url)('mongodb') as typeof Driver);

/** Undefined until somebody asked for the driver. Before that there are no errors of the driver either. */
export const loadedDriver = (): typeof Driver | undefined => loaded;

let loaded: typeof Driver | undefined;
