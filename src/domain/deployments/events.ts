import { declareEvents, type EventsOf } from '../../kernel/declareEvents.js';
import { count, millis, text } from '../../kernel/schema.js';
import { streamFamily } from '../../kernel/streams.js';
import { nobody } from '../../kernel/topics.js';

const deploymentStreams = streamFamily('deployment');
export const identityStream = deploymentStreams.named('identity');
export const keysStream = deploymentStreams.named('keys');
export const daysStream = deploymentStreams.named('days');

const about = (): string => nobody;

/** Stream: `deployment-identity`, which grows only when keys are given up. No read model and no client follows it. */
export const identityEvents = declareEvents(
  'deployments',
  { stream: () => identityStream, about },
  {
    DeploymentNamed: {
      says: 'The log belongs to the deployment whose vault has this name, in hex.',
      fields: { deployment: text },
    },
    KeysGivenUp: {
      says: 'The operator goes on with another vault, under a new name. What was sealed before and does not open under its keys counts as erased.',
      fields: { deployment: text },
    },
  },
);
export type IdentityEvent = EventsOf<typeof identityEvents>;

/** Stream: `deployment-keys`, of which only the newest event is kept. No read model and no client follows it. */
export const keyCountEvents = declareEvents(
  'deployments',
  { stream: () => keysStream, about },
  {
    KeysCounted: {
      says: 'The vault of the deployment had made so many keys. One with fewer is an older copy.',
      fields: { deployment: text, keys: count },
    },
  },
);
export type KeyCountEvent = EventsOf<typeof keyCountEvents>;

/** Stream: `deployment-days`, of which only the newest event is kept. No read model and no client follows it. */
export const dayCountEvents = declareEvents(
  'deployments',
  { stream: () => daysStream, about },
  {
    DaysCounted: {
      says: 'So many days have passed since the deployment began to count them, as far as a server that ran can tell. `clock` is the wall clock of then, which may be wrong.',
      fields: { days: count, clock: millis },
    },
  },
);
export type DayCountEvent = EventsOf<typeof dayCountEvents>;
