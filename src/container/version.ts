import { readFileSync } from 'node:fs';

/** Of the package that this file is a part of. */
const packageFile = new URL('../../../package.json', import.meta.url);

/** As package.json has it. */
export const version = ((): string => {
  const parsed: unknown = JSON.parse(readFileSync(packageFile, 'utf8'));
  const found = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
  return typeof found === 'string' ? found : 'unknown';
})();
