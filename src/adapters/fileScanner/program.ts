import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Where programs are looked for by their names. */
export const searchedFolders = (): string => process.env['PATH'] ?? '';

/** Why the program cannot be started; undefined where it can be. */
export const missingProgram = (program: string): string | undefined => {
  const places = isAbsolute(program)
    ? [program]
    : searchedFolders()
        .split(':')
        .map((folder) => join(folder, program));
  if (places.some(isProgram)) return undefined;
  return isAbsolute(program) ? 'there is no program that may be started' : 'there is no such program in PATH';
};

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};
