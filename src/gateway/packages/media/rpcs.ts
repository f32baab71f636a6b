import { nothing } from '../../../gen/rpcs.js';
import { isRejection, reject } from '../../../kernel/decider.js';
import type { Handlers } from '../../contract/handlers.js';
import type { FileStore } from '../../files/fileStore.js';

export type MediaNeeds = { readonly files: Pick<FileStore, 'takePart' | 'read'> };

type Built = 'mediaUploadFilePart' | 'mediaDownloadFilePart';

export const mediaRpcs = ({ files }: MediaNeeds): Handlers<Built> => ({
  mediaUploadFilePart: async ({ uploadId: upload, part: index, data }, call) =>
    (await files.takePart(call, { upload, index, data })) ?? nothing,

  mediaDownloadFilePart: async ({ fileRef, offset, length }, call) => {
    const photo = fileRef?.chatPhoto?.fileId;
    const file = photo ?? fileRef?.mediaFile?.fileId;
    if (file === undefined) return reject('INVALID_ARGUMENT', 'file_ref is missing');
    const as = photo === undefined ? {} : ({ as: 'photo' } as const);
    const data = await files.read(call, { file, offset, length, ...as });
    return isRejection(data) ? data : { filePart: { data } };
  },
});
