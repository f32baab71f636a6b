import { randomUUID } from 'node:crypto';
import type { Proposed, Store } from './store.js';

/** Writes what others leave in a database that is shared: programs, the server itself, earlier runs of these tests. */
export const writeOthers = (store: Store, events: number): void => {
  const earlierRun = `contract-${randomUUID()}-test-`;
  for (let index = 0; index < events; index += 1) {
    const order = `order-${(index >> 4).toString()}`;
    if (index % 16 === 0) store.write(`$$${order}`, [eventOf('$metadata')]);
    else if (index % 16 === 1) store.write('$stats-127.0.0.1:2113', [eventOf('$statsCollected')]);
    else if (index % 4 === 2) store.write('$ce-order', [eventOf('$>')]);
    else if (index % 4 === 3) store.write(order, [eventOf('OrderPlaced')]);
    else store.write(`${earlierRun}${(index >> 6).toString()}`, [eventOf('tests.Happened.v1')]);
  }
};

const [data, metadata] = [Buffer.from('{"n":1}'), Buffer.from('{}')];
const eventOf = (type: string): Proposed => ({
  id: randomUUID(),
  type,
  contentType: 'application/json',
  data,
  metadata,
});
