import type { Timers } from '../../kernel/ports/leases.js';
import type { Disk, DiskRoom } from '../../kernel/ports/system.js';

/** How often the disk is looked at. */
export const diskLookMillis = 5_000;

/** The floor is at most this share of the disk: a small disk that is nearly empty is not full. */
export const floorShareMax = 1 / 20;

/** Building what can be made again, and files, stop at so many times the floor, so that people can go on writing. */
export const buildingFloors = 2;

/** The room on the disk of the data folder, as of the last look. */
export interface FreeDisk {
  /** So little is free that nothing more may be written, but for what frees room. */
  isFull(this: void): boolean;
  /** Read models may be built anew, and files taken. */
  mayBuild(this: void): boolean;
  /** The room from which on they may. */
  buildingBytesMin(this: void): number;
  /** Undefined where nothing is on a disk of this machine. */
  freeBytes(this: void): number | undefined;
  close(this: void): void;
}

/** Where nothing is embedded, the disks are those of other machines. */
export const noDisk: FreeDisk = {
  isFull: () => false,
  mayBuild: () => true,
  buildingBytesMin: () => 0,
  freeBytes: () => undefined,
  close: () => undefined,
};

export type FreeDiskNeeds = {
  readonly disk: Disk;
  readonly timers: Pick<Timers, 'later'>;
  /** 0: the disk is never full. */
  readonly floorBytes: number;
  /** Called when the disk has become full, and when there is room again. */
  readonly changed: (full: 'full' | 'free', room: DiskRoom) => void;
  /** The disk could not be asked, and counts as it was. */
  readonly failed: (error: unknown) => void;
};

/** Resolves when the disk was looked at for the first time. */
export const freeDisk = async (needs: FreeDiskNeeds): Promise<FreeDisk> => {
  const { disk, timers, floorBytes, changed, failed } = needs;
  let room: DiskRoom | undefined;
  let full: 'full' | 'free' = 'free';
  let cancel: (() => void) | undefined;
  let isClosed = false;

  const isBelow = (floors: number): boolean =>
    room !== undefined && room.freeBytes < floors * floorOf(floorBytes, room);

  const look = async (): Promise<void> => {
    try {
      room = await disk.room();
      const now = isBelow(1) ? 'full' : 'free';
      if (now !== full) changed(now, room);
      full = now;
    } catch (error) {
      failed(error);
    }
    if (!isClosed) cancel = timers.later(diskLookMillis, () => void look());
  };

  await look();
  return {
    isFull: () => full === 'full',
    mayBuild: () => !isBelow(buildingFloors),
    buildingBytesMin: () => (room === undefined ? 0 : buildingFloors * floorOf(floorBytes, room)),
    freeBytes: () => room?.freeBytes,
    close: () => {
      isClosed = true;
      cancel?.();
    },
  };
};

/** The bytes that have to stay free on a disk. */
export const floorOf = (floorBytes: number, { totalBytes }: DiskRoom): number =>
  Math.min(floorBytes, totalBytes * floorShareMax);
