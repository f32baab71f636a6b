import { readFileSync } from 'node:fs';
import { parsedJson } from '../kernel/json.js';

/** Of the package that this file is a part of. */
const packageFile = new URL('../../../package.json', import.meta.url);

/** As package.json has it. */
export const version = ((): string => {
  const parsed: unknown = parsedJson(readFileSync(packageFile, 'utf8'));
  const found = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
  return typeof found === 'string' ? found : 'unknown';
})();
