import {
  collectionOf,
  forRunner,
  streamsOf,
  type AnyDocumentType,
  type DocumentType,
  type Projection,
} from '../kernel/document.js';
import type { Event } from '../kernel/event.js';
import type { CollectionSpec } from '../kernel/ports/documentStore.js';
import { sessionDocuments } from './accounts/fold.js';
import { botDocuments } from './bots/fold.js';
import { communityDocuments } from './communities/fold.js';
import { conversationDocuments } from './conversations/fold.js';
import {
  fileDocuments,
  fileUseDocuments,
  photoUseDocuments,
  reportFilesDocuments,
  uploadDocuments,
} from './files/fold.js';
import { inviteDocuments } from './invites/fold.js';
import { memberDocuments, membershipsDocuments, removalDocuments } from './members/fold.js';
import { lastSentDocuments, messageCountDocuments, messageDocuments } from './messages/fold.js';
import { pinnedMessagesDocuments } from './pins/fold.js';
import { previewDocuments } from './previews/fold.js';
import { messageReactionsDocuments, userReactionsDocuments } from './reactions/fold.js';
import { readMarkerDocuments } from './reads/fold.js';
import { accountStates, communityStates, memberStates, stickerPackStates, userStates } from './states/fold.js';
import { emojiDocuments, stickerPackDocuments } from './stickers/fold.js';
import { userDocuments } from './users/fold.js';

type Declared = { readonly type: AnyDocumentType; readonly spec: CollectionSpec };
const declared = <Doc, E extends Event>(type: DocumentType<Doc, E>): Declared => ({
  type: forRunner(type),
  spec: { name: collectionOf(type), indexes: Object.keys(type.indexes) },
});

const packages = {
  accounts: [declared(sessionDocuments)],
  users: [declared(userDocuments), declared(botDocuments)],
  communities: [declared(communityDocuments)],
  members: [declared(memberDocuments), declared(membershipsDocuments), declared(removalDocuments)],
  invites: [declared(inviteDocuments)],
  // Pins and previews are shown with messages alone, so nobody has to wait for two projections.
  messages: [
    declared(messageDocuments),
    declared(messageCountDocuments),
    declared(lastSentDocuments),
    declared(pinnedMessagesDocuments),
    declared(previewDocuments),
  ],
  files: [
    declared(uploadDocuments),
    declared(fileDocuments),
    declared(fileUseDocuments),
    declared(photoUseDocuments),
    declared(reportFilesDocuments),
  ],
  conversations: [declared(conversationDocuments)],
  reactions: [declared(messageReactionsDocuments), declared(userReactionsDocuments)],
  reads: [declared(readMarkerDocuments)],
  stickers: [declared(emojiDocuments), declared(stickerPackDocuments)],
  states: [
    declared(accountStates),
    declared(communityStates),
    declared(memberStates),
    declared(stickerPackStates),
    declared(userStates),
  ],
} as const satisfies Record<string, readonly Declared[]>;

/** Every read model there is: one projection for each package, and one for the snapshots of its rules. */
export type ProjectionName = keyof typeof packages;
export const projectionNamed = (name: ProjectionName): Projection => ({
  name,
  documents: packages[name].map(({ type }) => type),
});
const names = Object.keys(packages) as readonly ProjectionName[]; // The keys of a literal are what its type says.
export const projections: readonly Projection[] = names.map(projectionNamed);

/** The streams that a document of a collection is folded from, as far as its key tells. */
export const streamsIn = (
  declared: readonly Projection[],
): ((collection: string, key: string) => readonly string[]) => {
  const typeOf = new Map(
    declared.flatMap(({ documents }) => documents.map((type) => [collectionOf(type), type] as const)),
  );
  return (collection, key) => {
    const type = typeOf.get(collection);
    return type === undefined ? [] : streamsOf(type, key);
  };
};

export const streamsOfDocument = streamsIn(projections);

/** Projections, and the collections that `DocumentStore.open` is asked for because of them. */
export type DeclaredReadModels = {
  readonly projections: readonly Projection[];
  readonly collections: readonly CollectionSpec[];
};

/** The collections that `DocumentStore.open` is asked for. */
export const collections: readonly CollectionSpec[] = Object.values(packages).flatMap((types) =>
  types.map(({ spec }) => spec),
);

export const readModels: DeclaredReadModels = { projections, collections };
