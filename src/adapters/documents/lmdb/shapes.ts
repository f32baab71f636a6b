import type { RootDatabase } from 'lmdb';
import { Packr } from 'msgpackr';
import type { Meta } from './meta.js';

export type Packing = Pick<Packr, 'pack' | 'unpack'>;

export type ShapesPlace = {
  readonly environment: RootDatabase;
  readonly meta: Meta;
  /** Under which the shapes of one collection are kept. */
  readonly key: string;
};

/**
 * Documents refer to lists of field names that are kept apart, by their place among them. A new one is stored before the first
 * document that refers to it, and at once, so that threads which share the environment never mean different names by one place.
 */
export const shapedPacking = (place: ShapesPlace): Packing => {
  let packr = packrOf(place);
  return {
    pack: (document) => {
      try {
        return packr.pack(document);
      } catch (error) {
        // It may have learnt the shape of what it could not pack, and not have stored it.
        packr = packrOf(place);
        throw error;
      }
    },
    unpack: (bytes, options) => packr.unpack(bytes, options) as unknown,
  };
};

type Shapes = readonly object[];

const packrOf = ({ environment, meta, key }: ShapesPlace): Packr => {
  const stored = (): Shapes | undefined => meta.get(key) as Shapes | undefined;
  return new Packr({
    copyBuffers: true,
    getStructures: () => stored()?.slice() as [],
    // The types of the package leave out the second argument: whether what is stored is what this one began with.
    saveStructures: ((shapes: Shapes, isBegunWith: (shapes: Shapes | undefined) => boolean) =>
      environment.transactionSync(() => {
        if (!isBegunWith(stored()?.slice())) return false;
        void meta.put(key, shapes.slice());
        return true;
      })) as (shapes: Shapes) => boolean,
  });
};
