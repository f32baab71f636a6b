/** How many times what another writer was quicker with is looked at again. */
export const roundsMax = 3;

/** The records were written by somebody else at the same time, again and again. Committing again is right. */
export class WrittenMeanwhile extends Error {
  constructor(collection: string) {
    super(`records of ${collection} were written by somebody else during each of ${roundsMax.toString()} attempts`);
    this.name = 'WrittenMeanwhile';
  }
}
