import type { SnapshotSpec } from '../../kernel/decider.js';
import type { Fold } from '../../kernel/event.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import type { Personal } from '../../kernel/personal.js';
import { beforeDays, type AccountEvent } from './events.js';

export type AccountState =
  | { readonly status: 'absent' }
  | {
      readonly status: 'registered';
      /** The reservations of the account's e-mail address, oldest first: one for each form it was ever claimed under. */
      readonly emailKeys: readonly string[];
      /** In the order in which they were opened. */
      readonly sessions: readonly OpenSession[];
      /** Keyed hashes of networks from which the account signed in, at most `networksMax`, newest last. */
      readonly networks: readonly Personal<string>[];
      /** Of a bot only. */
      readonly bot?: { readonly owner: UserId; readonly isRetired: boolean };
    };

/** Networks of which an account remembers that it signed in from there; the oldest make room. */
export const networksMax = 16;

export type OpenSession = {
  readonly id: SessionId;
  readonly tokenHash: string;
  readonly device: KnownDevice;
  /** The day, in the count of days of the deployment, on which it was opened or last noted to be in use. */
  readonly usedOn: number;
};

export type KnownDevice = {
  readonly clientId: number;
  readonly deviceType: Personal<string>;
  readonly deviceVersion: Personal<string>;
  readonly appVersion: Personal<string>;
};

export const initial: AccountState = { status: 'absent' };

export const snapshots: SnapshotSpec = { name: 'accountStates', version: 3 };

export const evolve: Fold<AccountState, AccountEvent> = {
  AccountRegistered: (_, { data }) => ({
    status: 'registered',
    emailKeys: data.emailKey === undefined ? [] : [data.emailKey],
    sessions: [],
    networks: [],
    ...(data.owner === undefined ? {} : { bot: { owner: data.owner, isRetired: false } }),
  }),
  EmailKeyAdded: (state, { data }) =>
    state.status === 'absent' ? state : { ...state, emailKeys: [...state.emailKeys, data.emailKey] },
  SessionOpened: (state, { data }) =>
    withNetwork(
      withSession(state, data.session, () => ({
        id: data.session,
        tokenHash: data.tokenHash,
        device: deviceOf(data),
        usedOn: data.day ?? beforeDays,
      })),
      // Of a sealed event only this tells whether it has one. Events of former releases do not say, so theirs may be empty.
      data.withoutNetwork === true ? undefined : data.network,
    ),
  SessionDeviceChanged: (state, { data }) =>
    withSession(state, data.session, (open) => open && { ...open, device: deviceOf(data) }),
  SessionUsed: (state, { data }) => withSession(state, data.session, (open) => open && { ...open, usedOn: data.day }),
  SessionRevoked: (state, { data }) => withSession(state, data.session, () => undefined),
  BotRetired: (state) =>
    state.status === 'registered' && state.bot !== undefined
      ? { ...state, bot: { ...state.bot, isRetired: true } }
      : state,
};

const withNetwork = (state: AccountState, network: Personal<string> | undefined): AccountState =>
  state.status === 'absent' || network === undefined
    ? state
    : { ...state, networks: [...state.networks, network].slice(-networksMax) };

const deviceOf = ({ clientId, deviceType, deviceVersion, appVersion }: KnownDevice): KnownDevice => ({
  clientId,
  deviceType,
  deviceVersion,
  appVersion,
});

const withSession = (
  state: AccountState,
  session: SessionId,
  change: (open: OpenSession | undefined) => OpenSession | undefined,
): AccountState => {
  if (state.status === 'absent') return state;
  const at = state.sessions.findIndex(({ id }) => id === session);
  const before = at < 0 ? state.sessions.length : at;
  const open = change(state.sessions[before]);
  const sessions = state.sessions.toSpliced(before, 1, ...(open === undefined ? [] : [open]));
  return { ...state, sessions };
};
