import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate for 127.0.0.1 that no authority has signed, and the folder with its files, which the caller removes. */
export type Certificate = {
  readonly folder: string;
  /** Of the certificate, in PEM. */
  readonly file: string;
  readonly key: Buffer;
  readonly certificate: Buffer;
};

/** Undefined where openssl is not installed. */
export const selfSigned = (): Certificate | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'event-store-tls-'));
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  try {
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync('openssl', [...make, '-keyout', key, '-out', file, ...subject], { stdio: 'ignore' });
    return { folder, file, key: readFileSync(key), certificate: readFileSync(file) };
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
};
