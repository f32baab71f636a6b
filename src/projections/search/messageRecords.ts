import type { UserId } from '../../kernel/ids.js';
import { recordCollection, recordOf, type RecordDocument } from './documents.js';
import { heldDocuments, type HeldDocuments, type HeldNeeds } from './heldDocuments.js';

/** Which key seals each message in the index. Only a sweep reads them. */
export const messageRecords = (needs: HeldNeeds): HeldDocuments<RecordDocument> =>
  heldDocuments<RecordDocument>(needs, {
    collection: recordCollection,
    parsed: recordOf,
    inPlaceOfDamaged: damagedRecord,
    plain: ({ subject, period }) => ({
      document: { subject, period },
      indexKeys: { subject: [[subject, period]] },
    }),
  });

/** Says nothing but that there is a record. */
const damagedRecord: RecordDocument = { subject: 0n as UserId, period: '' };
