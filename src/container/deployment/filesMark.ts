import type { Blobs } from '../../kernel/ports/blobs.js';

/** The blob whose bytes are the name of the deployment. Those of files have others. */
export const markName = 'deployment';

const nameForm = /^[0-9a-f]{1,64}$/;

/** The deployment that the store is marked for. */
export const markIn = async (blobs: Pick<Blobs, 'get'>): Promise<string | undefined> => {
  const bytes = await blobs.get(markName);
  if (bytes === undefined) return undefined;
  const name = Buffer.from(bytes).toString('latin1');
  // With other bytes there, nobody knows whose the store is.
  return nameForm.test(name) ? name : 'of an unreadable name';
};

/** Marks the store, once. Throws when another deployment did so at the same moment. */
export const markFor = async (blobs: Pick<Blobs, 'get' | 'put'>, deployment: string): Promise<void> => {
  if ((await markIn(blobs)) === deployment) return;
  await blobs.put(markName, Buffer.from(deployment, 'latin1'));
  const found = await markIn(blobs);
  if (found === deployment) return;
  throw new Error(
    `the store of files was marked for ${found ?? 'nobody'} at the same moment as for ${deployment}: start again`,
  );
};
