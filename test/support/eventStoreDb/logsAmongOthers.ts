import { randomUUID } from 'node:crypto';
import { BACKWARDS, END, EventStoreDBClient } from '@eventstore/db-client';
import { eventStoreDbEventLog } from '../../../src/adapters/eventLog/eventStoreDb.js';
import { positionOf } from '../../../src/adapters/eventLog/eventStoreDb/records.js';
import { beforeAll, type Position } from '../../../src/kernel/event.js';
import { reopenable, type LogUnderTest } from '../../contracts/eventLog.js';

/**
 * Makes logs in a database that others write to as well, and may have filled. Each has streams of its own, and begins
 * where the database ended when it was made: so what it costs does not depend on what was there before.
 */
export const logsAmongOthers = (connectionString: string): (() => Promise<LogUnderTest>) => {
  const client = EventStoreDBClient.connectionString(connectionString);
  return async () => {
    const prefix = `contract-${randomUUID()}-`;
    const since = await endOf(client);
    return reopenable(() => eventStoreDbEventLog({ connectionString, prefix, since }));
  };
};

/** Of the database, whoever wrote what is there. */
const endOf = async (client: EventStoreDBClient): Promise<Position> => {
  let end = beforeAll;
  for await (const newest of client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 1 }))
    end = positionOf(newest);
  return end;
};
