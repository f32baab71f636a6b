import type { Command } from '../../kernel/decider.js';
import type { SessionId, UserId } from '../../kernel/ids.js';

export type SessionDevice = {
  readonly clientId: number;
  readonly deviceType: string;
  readonly deviceVersion: string;
  readonly appVersion: string;
};

type Session = { readonly session: SessionId; readonly tokenHash: string; readonly device: SessionDevice };

/** The day that it is in the count of days of the deployment. */
type Today = { readonly today: number };

/** `network`: a keyed hash, the same whenever this account signs in from this network. */
type NewSession = Session & Today & { readonly network?: string };

type OneSession = { readonly user: UserId; readonly session: SessionId };

export type AccountCommand =
  | Command<
      'RegisterAccount',
      NewSession & {
        readonly user: UserId;
        readonly hasPassword: boolean;
        /** Of a bot: the user for whom the operator makes it. */
        readonly owner?: UserId;
        readonly email?: { readonly address: string; readonly key: string };
      }
    >
  /** The claim on the key must be held already. */
  | Command<'AddEmailKey', { readonly user: UserId; readonly emailKey: string }>
  | Command<'OpenSession', NewSession & { readonly user: UserId }>
  /** The one token of a bot from here on: the sessions that it had end. */
  | Command<'IssueBotToken', Session & Today & { readonly user: UserId }>
  | Command<'RetireBot', { readonly user: UserId }>
  | Command<'ResumeSession', Omit<Session, 'device'> & Today & { readonly user: UserId }>
  | Command<'UseSession', OneSession & Today>
  | Command<'EndUnusedSession', OneSession & Today>
  | Command<'ChangeDevice', Omit<Session, 'tokenHash'> & { readonly user: UserId }>
  | Command<'RevokeSessions', { readonly user: UserId; readonly sessions: readonly SessionId[] }>;
