import type { Collection } from 'mongodb';
import { beforeAll } from '../../../kernel/event.js';
import type { DocumentsOwner } from '../../../kernel/ports/documentStore.js';
import type { MongoConnection } from '../../mongo/connection.js';
import type { Reading } from './reads.js';
import { checkpointsIn, type DocumentsPlace } from './schema.js';

type OwnerRecord = { readonly _id: string; readonly deployment: string };
type OwnerPlace = Pick<DocumentsPlace, 'database' | 'prefix'>;

const recordId = 'deployment';

const ownersIn = (
  { client, readConcern }: MongoConnection,
  { database, prefix }: OwnerPlace,
): Collection<OwnerRecord> => client.db(database).collection<OwnerRecord>(`${prefix}osmium.owner`, { readConcern });

/** Makes nothing. */
export const ownerIn = async (
  connection: MongoConnection,
  place: OwnerPlace,
  reading: Reading,
): Promise<DocumentsOwner> => {
  const record = await ownersIn(connection, place).findOne({ _id: recordId }, reading);
  if (record !== null) return { status: 'named', deployment: record.deployment };
  const written = await checkpointsIn(connection, place).findOne({ _p: { $gt: beforeAll } }, reading);
  return { status: written === null ? 'empty' : 'unnamed' };
};

export const nameOwner = async (connection: MongoConnection, place: OwnerPlace, deployment: string): Promise<void> => {
  const update = { $set: { deployment } };
  await ownersIn(connection, place).updateOne({ _id: recordId }, update, { upsert: true });
};
