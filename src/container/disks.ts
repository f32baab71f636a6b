import type { DependencyContainer } from 'tsyringe';
import { areOnOneDisk, diskOf } from '../adapters/system/disk.js';
import { systemTimers } from '../adapters/system/timers.js';
import { isServer, type Config } from '../config.js';
import { fileFolderOf } from '../engines.js';
import { freeDisk, noDisk, type FreeDisk, type FreeDiskNeeds } from '../gateway/operations/freeDisk.js';
import { of, type Get } from './tokens.js';

/**
 * Watches the disk of the data folder, and that of files where it is another one. Nothing is looked at where nothing is kept on this
 * machine. Gives the ways to stop.
 */
export const watchDisks = async (
  container: DependencyContainer,
  get: Get,
): Promise<readonly (() => Promise<void>)[]> => {
  const config = get(of.config);
  const own = isEmbedded(config) ? await watched(get, { disk: get(of.disk), ...dataWords }) : noDisk;
  container.registerInstance(of.freeDisk, own);
  const ofFiles = await watchedFiles(get, own);
  container.registerInstance(of.fileDisk, ofFiles);
  return [...new Set([own, ofFiles])].map(({ close }) => () => {
    close();
    return Promise.resolve();
  });
};

const isEmbedded = ({ eventLog, documents, vault }: Config): boolean => ![eventLog, documents, vault].every(isServer);

const watchedFiles = async (get: Get, own: FreeDisk): Promise<FreeDisk> => {
  const config = get(of.config);
  const folder = fileFolderOf(config);
  if (folder === undefined) return noDisk;
  if (isEmbedded(config) && areOnOneDisk(folder, config.dataDir)) return own;
  return watched(get, { disk: diskOf(folder), ...fileWords });
};

type Words = { readonly full: string; readonly free: string };

const dataWords: Words = {
  full: 'the disk is nearly full: only what frees room is written',
  free: 'the disk has room again: everything is written',
};
const fileWords: Words = {
  full: 'the disk of files is nearly full: no files are taken',
  free: 'the disk of files has room again: files are taken once there is twice as much',
};

const watched = (get: Get, { disk, full, free }: Words & Pick<FreeDiskNeeds, 'disk'>): Promise<FreeDisk> => {
  const logger = get(of.logger);
  return freeDisk({
    disk,
    timers: systemTimers,
    floorBytes: get(of.config).freeDiskBytesMin,
    changed: (state, room) => {
      if (state === 'full') logger.error(room, full);
      else logger.info(room, free);
    },
    failed: (err) => {
      logger.warn({ err }, 'it is not known how much of the disk is free');
    },
  });
};
