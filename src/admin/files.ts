import type { VerbCall } from './verbCall.js';

/** Files of one kind in the store: their number, the number of the parts that are stored of them, and the bytes of these as stored. */
export type StoredFiles = { readonly files: number; readonly parts: number; readonly bytes: number };

/**
 * All that is in the store of files. `used`: by messages or reports. `unused`: nothing uses them, and a look will remove them. `underWay`:
 * uploads of the last hours. `orphaned`: no event speaks of them any more.
 */
export type FilesReport = Readonly<Record<'stored' | 'used' | 'unused' | 'underWay' | 'orphaned', StoredFiles>>;

/** The outcome of one look for files that nothing uses. */
export type SweptFiles = {
  readonly ended: number;
  readonly deleted: number;
  readonly released: number;
  readonly removed: number;
  readonly failed: number;
};

/** The operator's work with files. */
export interface FilesAdmin {
  stats(this: void, call: VerbCall): Promise<FilesReport>;
  sweep(this: void, call: VerbCall): Promise<SweptFiles>;
}
