import type { DependencyContainer } from 'tsyringe';
import { picturesApart } from '../adapters/pictures/picturesApart.js';
import { systemTimers } from '../adapters/system/timers.js';
import type { Pictures } from '../kernel/ports/pictures.js';
import { of, once, type Get } from './tokens.js';

/** `given` stands in the place of the real ones. */
export const registerPictures = (container: DependencyContainer, given: Pictures | undefined): void => {
  once(container, of.pictures, (get) => given ?? made(get));
};

const made = (get: Get): Pictures =>
  picturesApart({
    timers: systemTimers,
    done: get(of.metrics).pictures,
    confined: (level) => {
      const message = 'pictures are read by a process of its own';
      if (level === 'no network') get(of.logger).info({ level }, message);
      else get(of.logger).warn({ level }, `${message}, which this machine confines less than it could`);
    },
  });
