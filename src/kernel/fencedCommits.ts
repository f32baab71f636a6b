import { Fenced, type DocumentStore } from './ports/documentStore.js';

/** Commits whose checkpoints carry the fence. `onFenced` is called before a commit rejects with `Fenced`. */
export const fencedCommits = (
  { commit }: Pick<DocumentStore, 'commit'>,
  fence: bigint | undefined,
  onFenced: (error: Fenced) => void,
): DocumentStore['commit'] => {
  if (fence === undefined) return commit;
  return async (writes, checkpoints) => {
    try {
      await commit(
        writes,
        checkpoints.map((checkpoint) => ({ ...checkpoint, fence })),
      );
    } catch (error) {
      if (error instanceof Fenced) onFenced(error);
      throw error;
    }
  };
};
