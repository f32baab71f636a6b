import assert from 'node:assert/strict';
import { eventKinds } from '../../src/domain/registry.js';
import { eventCodec, type EventCodec } from '../../src/kernel/codec.js';
import type { Sealer } from '../../src/kernel/ports/sealer.js';
import { openDocuments } from '../../src/projections/reading/openDocuments.js';
import { openedDocuments, type DocumentReads } from '../../src/projections/reading/openedDocuments.js';
import type { Reads } from '../../src/projections/reading/queries.js';
import { streamsOfDocument } from '../../src/projections/registry.js';
import { plainSealer } from './plainSealer.js';

type Opening = {
  readonly codec: Pick<EventCodec, 'open' | 'openUntil'>;
  readonly sealer: Pick<Sealer, 'loadKeys' | 'onForgotten'>;
};

const nobodys = (): Opening => {
  const sealer = plainSealer();
  return { sealer, codec: eventCodec(eventKinds, sealer) };
};

/** The store as queries read it. By default nothing that a test put into it is sealed. */
export const readsOf = (store: DocumentReads, opening: Opening = nobodys()): Reads => ({
  store: openedDocuments({
    hot: openDocuments(() => 0),
    ...opening,
    uptime: { now: () => 0 },
    streamsOf: streamsOfDocument,
    onBroken: (error) => {
      assert.fail(error);
    },
  })(store),
});
