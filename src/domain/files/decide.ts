import { reject, type Decider, type Rejection } from '../../kernel/decider.js';
import type { FileCommand, UploadCommand } from './commands.js';
import { fileStream, uploadStream, type FileEvent, type UploadEvent } from './events.js';
import { unusedMillisMin, usedAgainMillis } from './limits.js';
import { evolveFile, evolveUpload, noFile, noUpload, type FileState, type UploadState } from './state.js';

export const uploads: Decider<UploadCommand, UploadState, UploadEvent> = {
  stream: ({ data }) => uploadStream(data),
  initial: noUpload,
  evolve: evolveUpload,
  // The key of an upload that has ended is with those who use its file, and nowhere else.
  keepsEvents: 1,
  foldsFromLatest: true,
  rules: {
    // Of two parts that come first at the same moment one begins the upload, and both are of it.
    BeginUpload: (data, { status }) => (status === 'absent' ? [{ type: 'UploadBegun', data }] : []),
    EndUpload: (data, { status }) => (status === 'open' ? [{ type: 'UploadEnded', data }] : []),
  },
};

export const files: Decider<FileCommand, FileState, FileEvent> = {
  stream: ({ data }) => fileStream(data.file),
  initial: noFile,
  evolve: evolveFile,
  rules: {
    MakeFile: (data, state) => {
      if (state.status === 'absent') return [{ type: 'FileMade', data }];
      return state.status === 'made' ? [] : noFileAnyMore(state);
    },

    MakePagePicture: (data, { status }) => (status === 'absent' ? [{ type: 'PagePictureMade', data }] : []),

    UseFile: ({ file, at }, state) => {
      if (state.status !== 'made') return reject('FILE_NOT_FOUND');
      if (at - state.usedAt < usedAgainMillis) return [];
      return [{ type: 'FileUsed', data: { file, at, uploader: state.uploader } }];
    },

    ExpireFile: (data, { status }) =>
      status === 'absent' ? [{ type: 'FileReleased', data: { ...data, because: 'expired' } }] : [],

    // One that another node has made meanwhile was let pass there.
    RefuseFile: (data, { status }) =>
      status === 'absent' ? [{ type: 'FileReleased', data: { ...data, because: 'expired', refused: true } }] : [],

    // A request that was about to use the file may not have come to it yet.
    ReleaseFile: ({ file, at }, state) => {
      if (state.status !== 'made' || at - state.usedAt < unusedMillisMin) return [];
      return [{ type: 'FileReleased', data: { file, at, uploader: state.uploader, because: 'unused' } }];
    },

    RemoveFile: ({ file }, state) =>
      state.status === 'released' ? [{ type: 'FileRemoved', data: { file, uploader: state.uploader } }] : [],
  },
};

/** Why an upload can become no file any more. */
export const noFileAnyMore = (state: FileState): Rejection =>
  state.status === 'released' && state.refused === true
    ? reject('FILE_REFUSED')
    : reject('INVALID_UPLOAD', 'it has expired');
