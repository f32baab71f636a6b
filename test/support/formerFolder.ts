import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const packed = 'test/fixtures/former/folder-9fea79f.json.gz';

/**
 * A data folder that the server of commit 9fea79f wrote, laid out anew: its log, documents, vault and master key, which
 * were made for this. The caller removes it.
 */
export const formerFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'osmium-former-'));
  // The file is ours: paths, and what stands there in base64.
  const files = JSON.parse(gunzipSync(await readFile(packed)).toString()) as Readonly<Record<string, string>>;
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, path), Buffer.from(content, 'base64'), { mode: 0o600 });
  }
  return folder;
};
