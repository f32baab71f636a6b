import type { DependencyContainer } from 'tsyringe';
import { picturesApart } from '../adapters/pictures/picturesApart.js';
import { systemTimers } from '../adapters/system/timers.js';
import type { Pictures } from '../kernel/ports/pictures.js';
import { of, once, type Get } from './tokens.js';

/** `given` stands in the place of the real ones. */
export const registerPictures = (container: DependencyContainer, given: Pictures | undefined): void => {
  once(container, of.pictures, (get) => given ?? made(get));
};

/** Said where the system has no tools for it, or does not let the server use them. */
export const lessConfined = 'pictures are read by a process of its own, which this machine confines less than it could';

const made = (get: Get): Pictures =>
  picturesApart({
    timers: systemTimers,
    done: get(of.metrics).pictures,
    confined: (level) => {
      if (level === 'no network') get(of.logger).info({ level }, 'pictures are read by a process of its own');
      else get(of.logger).warn({ level }, lessConfined);
    },
  });
