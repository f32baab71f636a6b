import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A link leads to nothing, as one to a disk does that is not mounted. */
export class DanglingLink extends Error {
  constructor(path: string) {
    super(`${path} is a link to ${readlinkSync(path)}, which is not there: mount its disk, or put the link right`);
    this.name = 'DanglingLink';
  }
}

/** Throws `DanglingLink` where the path, or a folder on the way to it, is missing because a link leads to nothing. */
export const checkLinks = (path: string): void => {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) throw new DanglingLink(path);
  const parent = dirname(path);
  if (parent !== path) checkLinks(parent);
};
