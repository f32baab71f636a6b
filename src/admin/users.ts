/** A password is shown once, when it is made: the vault has its hash alone. */
export type GivenPassword = { readonly id: string; readonly password: string };

/** A sentence that says why not. */
export type UserObjection = { readonly objection: string };

/** The people of a deployment, for the operator. */
export interface UsersAdmin {
  /**
   * Another password for somebody who forgot theirs, in the place of the one before; all their sessions end. They are
   * named by id, username or e-mail address.
   */
  password(this: void, user: string): Promise<GivenPassword | UserObjection>;
}
