import type { Command } from '../../kernel/decider.js';
import type { Millis, UserId } from '../../kernel/ids.js';

export type NameKind = 'email' | 'username';

/** `key` is the keyed hash of the normalised name. */
type About = { readonly kind: NameKind; readonly key: string; readonly holder: UserId };

export type ReservationCommand =
  Command<'ClaimName', About & { readonly at: Millis }> | Command<'ReleaseName', HeldName>;

/** One claim of a name. The same holder may have made a later one, which is another. */
export type HeldName = About & { readonly claimedAt: Millis };
