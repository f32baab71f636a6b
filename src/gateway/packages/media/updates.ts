import type { FileEvent, UploadEvent } from '../../../domain/files/events.js';
import { silent, type UpdateTable } from '../../contract/updates.js';
import type { UpdateView } from '../../contract/updateView.js';

/** Clients are told of a file by what uses it. */
export const mediaUpdates: UpdateTable<UploadEvent | FileEvent, UpdateView> = {
  UploadBegun: silent,
  UploadEnded: silent,
  FileMade: silent,
  PagePictureMade: silent,
  FileUsed: silent,
  FileReleased: silent,
  FileRemoved: silent,
};
