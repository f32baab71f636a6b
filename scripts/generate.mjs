// Writes src/gen from proto: one TypeScript file per protocol package, with types and codecs, and the table of RPCs.
// The output depends on the inputs only. When they have not changed since the last run, nothing is done.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageFile } from './generate/packages.mjs';
import { readProtocol } from './generate/protocol.mjs';
import { rpcsFile } from './generate/rpcs.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const protoFolder = at('proto/');
const genFolder = at('src/gen/');
const stampFile = `${genFolder}.inputs`;

const protoFiles = () =>
  readdirSync(protoFolder)
    .filter((file) => file.endsWith('.proto'))
    .sort()
    .map((file) => ({ file, text: readFileSync(protoFolder + file, 'utf8') }));

const fingerprint = (protos) => {
  const hash = createHash('sha256');
  const scripts = ['generate.mjs', 'generate/packages.mjs', 'generate/protocol.mjs', 'generate/rpcs.mjs'];
  for (const script of scripts) hash.update(readFileSync(at(`scripts/${script}`)));
  for (const { file, text } of protos) hash.update(`${file}\n${text}`);
  return hash.digest('hex');
};

/** The stamp lists what was written, so that a deleted file is noticed too. */
const isUpToDate = (stamp) => {
  if (!existsSync(stampFile)) return false;
  const [written, ...files] = readFileSync(stampFile, 'utf8').trim().split('\n');
  return written === stamp && files.every((file) => existsSync(genFolder + file));
};

const writeAll = (stamp, files) => {
  mkdirSync(genFolder, { recursive: true });
  for (const [file, text] of files) writeFileSync(genFolder + file, text);
  for (const file of readdirSync(genFolder)) if (!files.has(file)) rmSync(genFolder + file);
  // Last, so that a run that was cut off is done again.
  writeFileSync(stampFile, [stamp, ...files.keys(), ''].join('\n'));
};

const protos = protoFiles();
const stamp = fingerprint(protos);
if (!isUpToDate(stamp)) {
  const protocol = readProtocol(protos);
  const files = new Map(protocol.packages.map((name) => [`${name}.ts`, packageFile(protocol, name)]));
  files.set('rpcs.ts', rpcsFile(protocol));
  writeAll(stamp, files);
}
