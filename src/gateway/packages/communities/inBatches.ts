/** So many are asked for at a time: enough to keep the store busy, few enough to let others in between. */
export const batchQueries = 32;

/** The answers in the order of the items. */
export const inBatches = async <Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  for (let start = 0; start < items.length; start += batchQueries) {
    answers.push(...(await Promise.all(items.slice(start, start + batchQueries).map(ask))));
  }
  return answers;
};
