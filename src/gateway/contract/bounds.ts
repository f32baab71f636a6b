/**
 * The bounds over all that lie above each single bound, by the names that `osmium_bounds_total` has for them. Each is a
 * setting, or made of one; `http` is a constant for all, and `signed_out_per_address` for an address.
 */
export type BoundName =
  | 'connections'
  | 'connections_per_session'
  | 'connections_per_user'
  | 'signed_out_per_address'
  | 'http'
  | 'waiting'
  | 'waiting_per_user'
  | 'received'
  | 'unfinished'
  | 'free_disk'
  | 'written_per_user';

/** A bound was reached, and something had to give way, to wait or to be refused. */
export type BoundReached = (bound: BoundName) => void;
