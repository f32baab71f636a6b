import type { Socket } from 'node:net';
import { connectInFolder as connect } from '../../adapters/dataFolder/adminSocket.js';

/** To the operator's door of the server on a data folder; `undefined` when none runs. Throws `DoorClosed`. */
export const connectInFolder = (folder: string): Promise<Socket | undefined> => connect(folder);
