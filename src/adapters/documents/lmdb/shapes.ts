import type { RootDatabase } from 'lmdb';
import { Packr } from 'msgpackr';
import type { Meta } from './meta.js';

/**
 * Documents refer to lists of field names, their shapes, which are kept apart, by the place among those. A shape is stored
 * before, or along with, the first document that refers to it.
 */
export type Packing = Pick<Packr, 'pack' | 'unpack'> & {
  /** The shapes to be stored in the transaction of the documents that were packed until now. */
  readonly learnt: () => LearntShapes;
};

export type LearntShapes = { readonly save: () => void; readonly saved: () => void };

/** `several` threads of this process write documents of the same types into one environment. */
export type Writers = 'one' | 'several';

export type ShapesPlace = {
  readonly environment: RootDatabase;
  readonly meta: Meta;
  /** Under which the shapes of one collection are kept. */
  readonly key: string;
};

export const shapedPacking = (place: ShapesPlace, writers: Writers): Packing => packings[writers](place);

type Shapes = readonly object[];

const storedIn = ({ meta, key }: ShapesPlace): Shapes | undefined => meta.get(key) as Shapes | undefined;

const copyOf = (shapes: Shapes | undefined) => shapes?.slice() as [];

/** Its commits save what was learnt, so no document waits for the disk. Shapes of others are read when they are met. */
const packingOfOne = (place: ShapesPlace): Packing => {
  const { meta, key } = place;
  const structures = [...(storedIn(place) ?? [])];
  let savedCount = structures.length;
  // The packer adds to the list, also when it then fails on the document, so the length decides what is saved.
  const packr = new Packr({ copyBuffers: true, structures, getStructures: () => copyOf(storedIn(place)) });
  return {
    pack: (document) => packr.pack(document),
    unpack: (bytes, options) => packr.unpack(bytes, options) as unknown,
    learnt: () => {
      const count = structures.length;
      return {
        save: () => {
          if (count > savedCount) void meta.put(key, structures.slice(0, count));
        },
        saved: () => {
          savedCount = Math.max(savedCount, count);
        },
      };
    },
  };
};

/** Stores a shape at once, and waits for the disk, so that no two writers ever mean different names by one place. */
const packingOfSeveral = (place: ShapesPlace): Packing => {
  let packr = storingPackr(place);
  return {
    pack: (document) => {
      try {
        return packr.pack(document);
      } catch (error) {
        // It may have learnt the shape of what it could not pack, and not have stored it.
        packr = storingPackr(place);
        throw error;
      }
    },
    unpack: (bytes, options) => packr.unpack(bytes, options) as unknown,
    learnt: () => nothingLearnt,
  };
};

const nothingLearnt: LearntShapes = { save: () => undefined, saved: () => undefined };

const storingPackr = (place: ShapesPlace): Packr =>
  new Packr({
    copyBuffers: true,
    getStructures: () => copyOf(storedIn(place)),
    // The types of the package leave out the second argument: whether what is stored is what this one began with.
    saveStructures: ((shapes: Shapes, isBegunWith: (shapes: Shapes | undefined) => boolean) =>
      place.environment.transactionSync(() => {
        if (!isBegunWith(copyOf(storedIn(place)))) return false;
        void place.meta.put(place.key, shapes.slice());
        return true;
      })) as (shapes: Shapes) => boolean,
  });

const packings: Readonly<Record<Writers, (place: ShapesPlace) => Packing>> = {
  one: packingOfOne,
  several: packingOfSeveral,
};
