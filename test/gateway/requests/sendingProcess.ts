import { ada, general } from '../../support/house/cast.js';
import { house } from '../../support/house/house.js';

/**
 * Sends messages in a house of its own, for `hiddenClasses.spec`, which reads the log of V8. An object gets a field of a
 * name that nothing else has right before those that count, and another one right after them.
 */
export const beginning = 'sendsBegin';
export const ending = 'sendsEnd';
export const sends = 100;
const sendsBefore = 100;

const send = async (): Promise<void> => {
  const here = await house();
  const node = await here.node();
  await node.connect(ada);
  const sendMany = async (count: number): Promise<void> => {
    for (let nonce = 1; nonce <= count; nonce += 1) {
      await node.send(ada, { chatRef: general, message: 'hello', clientId: BigInt(nonce) });
    }
  };
  await sendMany(sendsBefore);
  Object.assign({}, { [beginning]: true });
  await sendMany(sends);
  Object.assign({}, { [ending]: true });
  await here.close();
};

if (process.argv[2] === 'send') await send();
