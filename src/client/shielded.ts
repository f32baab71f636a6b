/** Runs a function that others have given us. Its error is theirs to hear of, and must not stop our own work. */
export const shielded = (theirs: () => void): void => {
  try {
    theirs();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
};
