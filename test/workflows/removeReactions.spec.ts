import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDocuments } from '../../src/adapters/documents/memory.js';
import type { MessageEvent } from '../../src/domain/messages/events.js';
import { reactionStream, type ReactionEvent } from '../../src/domain/reactions/events.js';
import { selfChat } from '../../src/kernel/chat.js';
import { beforeAll, type EventOf, type Recorded } from '../../src/kernel/event.js';
import type { MessageId, UserId } from '../../src/kernel/ids.js';
import { removalsPerCommitMax, type DocumentStore } from '../../src/kernel/ports/documentStore.js';
import { deferred } from '../../src/kernel/timing.js';
import { userReactionsCollection } from '../../src/projections/reactions/documents.js';
import { collections } from '../../src/projections/registry.js';
import { removeReactions } from '../../src/workflows/removeReactions.js';
import { startWorkflow } from '../../src/workflows/runner.js';
import { recordedAs } from '../projections/folded.js';
import { deleted, sent } from '../projections/messaging.js';
import { openStore, setting, type Setting } from '../projections/setting.js';

const user = 1n as UserId;
const chat = selfChat(user);
const [kept, gone] = [10n as MessageId, 11n as MessageId];
const reactors = removalsPerCommitMax + 5;

const reacted = async ({ happened }: Setting, message: MessageId, users: number): Promise<void> => {
  for (let at = 1; at <= users; at += 1) {
    const added: ReactionEvent = {
      type: 'ReactionAdded',
      data: { message, chat, user: BigInt(at) as UserId, emoji: '👍' },
    };
    await happened(reactionStream(message, BigInt(at) as UserId), added);
  }
};

const keysIn = async (store: DocumentStore, prefix = ''): Promise<readonly string[]> =>
  (await store.scan({ collection: userReactionsCollection, prefix, limit: 10_000 })).map(({ key }) => key);

const needsIn = ({ log, codec, sealer }: Setting, documents: DocumentStore) => ({
  log,
  codec,
  sealer,
  documents,
  execute: () => Promise.reject(new Error('nothing is to be executed')),
  pause: () => Promise.resolve(),
  alarm: ({ error }: { readonly error: unknown }) => {
    throw error;
  },
});

const reactTo = (
  workflow: ReturnType<typeof removeReactions>,
  event: Recorded<EventOf<MessageEvent, 'MessageDeleted'>>,
): Promise<void> => workflow.reactions.MessageDeleted(event, () => Promise.reject(new Error('no run')));

describe('removeReactions', () => {
  it('removes the documents of all who reacted once the message is deleted, and those of no other message', async () => {
    const here = setting();
    const store = await openStore();
    const following = await here.start({ store });
    await here.happened('message-10', sent(kept, { chat }));
    await here.happened('message-11', sent(gone, { chat }));
    await reacted(here, kept, 2);
    await reacted(here, gone, reactors);
    const end = await here.happened('message-11', deleted(gone, { chat }));
    const removed = deferred<undefined>();
    let removals = 0;
    const documents: DocumentStore = {
      ...store,
      removePrefix: async (...asked) => {
        const count = await store.removePrefix(...asked);
        removals += 1;
        if (count < removalsPerCommitMax) removed.resolve(undefined);
        return count;
      },
    };
    const workflow = removeReactions({ documents, reached: following.reached });
    const running = startWorkflow(workflow, needsIn(here, documents));
    await removed.promise;
    await running.stop();
    assert.equal(removals, 2);
    assert.deepEqual(await keysIn(store), ['10.1', '10.2']);
    assert.equal(await store.checkpoint(`workflow.${workflow.name}`), end);
    await following.close();
  });

  it('waits until the read model has passed the deletion', async () => {
    const event = recordedAs(deleted(gone, { chat }), 6);
    const asked: string[] = [];
    const { promise, resolve } = deferred<undefined>();
    const workflow = removeReactions({
      documents: { removePrefix: (_, prefix) => Promise.resolve(asked.push(prefix)) },
      reached: async (position) => {
        asked.push(`reached ${position.toString()}`);
        await promise;
      },
    });
    const reacting = reactTo(workflow, event);
    assert.deepEqual(asked, [`reached ${event.position.toString()}`]);
    resolve(undefined);
    await reacting;
    assert.deepEqual(asked, [`reached ${event.position.toString()}`, '11.']);
  });

  it('begins anew when the documents are built anew', async () => {
    const store = memoryDocuments();
    await store.open(collections);
    const { name } = removeReactions({ documents: store, reached: () => undefined });
    await store.commit([], [{ projection: `workflow.${name}`, position: 9n }]);
    await store.open(collections.filter((one) => one.name !== userReactionsCollection));
    assert.equal(await store.checkpoint(`workflow.${name}`), beforeAll);
  });
});
