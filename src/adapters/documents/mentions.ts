/** Whether documents of the collection are among those that the checkpoint of this name speaks of. */
export const mentions = (projection: string, collection: string): boolean => projection.split(' ').includes(collection);
