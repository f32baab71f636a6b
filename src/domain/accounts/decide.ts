import { defined } from '../../kernel/defined.js';
import { reject, type Decider } from '../../kernel/decider.js';
import type { EventOf } from '../../kernel/event.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import { opened, type Shredded } from '../../kernel/opened.js';
import type { WrittenEvent } from '../../kernel/personal.js';
import type { AccountCommand, SessionDevice } from './commands.js';
import { accountStream, type AccountEvent } from './events.js';
import { evolve, initial, snapshots, type AccountState, type KnownDevice, type OpenSession } from './state.js';

/** Sessions that one account may have at a time; the oldest make room. */
export const sessionsMax = 100;

/** A session that is in use is noted to be at most once in so many days. */
export const useNotedDays = 30;
/** A session that nobody used for so many days ends. */
export const unusedDaysMax = 365;

/** Forms of its e-mail address that one account may be reserved under. There have been two so far. */
export const emailKeysMax = 8;

export const accounts: Decider<AccountCommand, AccountState, AccountEvent> = {
  stream: ({ data }) => accountStream(data.user),
  initial,
  evolve,
  begins: ['RegisterAccount'],
  snapshots,
  rules: {
    RegisterAccount: (data, state) => {
      // The same registration again, or an id that was given out twice: that must never open somebody else's account.
      if (state.status !== 'absent') {
        return openIn(state, data.session)?.tokenHash === data.tokenHash ? [] : reject('CONFLICT');
      }
      const { user, email, hasPassword, owner } = data;
      const signIn = email === undefined ? {} : { email: email.address, emailKey: email.key };
      const account = { user, hasPassword, ...signIn, ...defined({ owner }) };
      return [{ type: 'AccountRegistered', data: account }, sessionOpened(data, data.network)];
    },

    AddEmailKey: ({ user, emailKey }, state) => {
      if (state.status === 'absent' || state.emailKeys.length === 0) return [];
      if (state.emailKeys.includes(emailKey) || state.emailKeys.length >= emailKeysMax) return [];
      return [{ type: 'EmailKeyAdded', data: { user, emailKey } }];
    },

    OpenSession: (data, state) => {
      // A bot has neither address nor password; it must not get a session by them, should it ever be given some.
      if (state.status === 'absent' || state.bot !== undefined) return reject('INVALID_CREDENTIALS');
      if (openIn(state, data.session) !== undefined) return [];
      const tooMany = state.sessions.slice(0, Math.max(0, state.sessions.length + 1 - sessionsMax));
      return [
        ...revoked(data.user, tooMany),
        sessionOpened(data, hasSignedInFrom(state, data.network) ? undefined : data.network),
      ];
    },

    IssueBotToken: (data, state) => {
      if (state.status === 'absent' || state.bot === undefined || state.bot.isRetired) return reject('USER_NOT_FOUND');
      if (openIn(state, data.session) !== undefined) return [];
      return [...revoked(data.user, state.sessions), sessionOpened(data, undefined)];
    },

    RetireBot: ({ user }, state) =>
      state.status === 'absent' || state.bot === undefined || state.bot.isRetired
        ? []
        : [...revoked(user, state.sessions), { type: 'BotRetired', data: { user } }],

    // One that is over and not yet ended must not begin to live again.
    ResumeSession: ({ tokenHash, session, today }, state) =>
      sessionInUse(state, session, today)?.tokenHash === tokenHash ? [] : reject('INVALID_TOKEN'),

    UseSession: ({ user, session, today }, state) => {
      const open = openIn(state, session);
      return open !== undefined && isUseDue(open, today)
        ? [{ type: 'SessionUsed', data: { user, session, day: today } }]
        : [];
    },

    EndUnusedSession: ({ user, session, today }, state) => {
      const open = openIn(state, session);
      return open !== undefined && isUnused(open, today) ? [{ type: 'SessionRevoked', data: { user, session } }] : [];
    },

    // Of a session that was revoked at the same moment nothing is known any more.
    ChangeDevice: ({ device, ...about }, state) => {
      const open = openIn(state, about.session);
      return open === undefined ? [] : deviceChanged(about, open, device);
    },

    RevokeSessions: ({ user, sessions }, state) =>
      state.status === 'absent'
        ? []
        : [...new Set(sessions)]
            .filter((session) => openIn(state, session) !== undefined)
            .map((session) => ({ type: 'SessionRevoked', data: { user, session } })),
  },
};

const revoked = (user: UserId, sessions: readonly OpenSession[]) =>
  sessions.map(({ id: session }) => ({ type: 'SessionRevoked' as const, data: { user, session } }));

/** Whether the account remembers that it signed in from this network. Only new ones are written down. */
export const hasSignedInFrom = (state: AccountState, network: string | undefined): boolean =>
  state.status === 'registered' && state.networks.some((known) => opened(known) === network);

/** Undefined for one that is over, also where that is not noted yet. */
export const sessionInUse = (state: AccountState, session: SessionId, today: number): OpenSession | undefined => {
  const open = openIn(state, session);
  return open === undefined || isUnused(open, today) ? undefined : open;
};

const isUnused = ({ usedOn }: OpenSession, today: number): boolean => today - usedOn >= unusedDaysMax;

const isUseDue = ({ usedOn }: OpenSession, today: number): boolean => today - usedOn >= useNotedDays;

/** Whether it is time to note that the session is in use. */
export const isUseNoteDue = (state: AccountState, session: SessionId, today: number): boolean => {
  const open = openIn(state, session);
  return open !== undefined && isUseDue(open, today);
};

type BegunSession = {
  readonly user: UserId;
  readonly session: SessionId;
  readonly tokenHash: string;
  readonly device: SessionDevice;
  readonly today: number;
};

const sessionOpened = (
  { user, session, tokenHash, device, today }: BegunSession,
  network: string | undefined,
): WrittenEvent<EventOf<AccountEvent, 'SessionOpened'>> => ({
  type: 'SessionOpened',
  data: {
    user,
    session,
    tokenHash,
    ...device,
    day: today,
    ...(network === undefined ? { withoutNetwork: true } : { network }),
  },
});

const openIn = (state: AccountState, session: SessionId): OpenSession | undefined =>
  state.status === 'registered' ? state.sessions.find(({ id }) => id === session) : undefined;

const deviceChanged = (
  about: { readonly user: UserId; readonly session: SessionId },
  open: OpenSession,
  device: SessionDevice,
): readonly WrittenEvent<AccountEvent>[] =>
  isSameDevice(openDevice(open.device), device)
    ? []
    : [{ type: 'SessionDeviceChanged', data: { ...about, ...device } }];

type OpenDevice = { readonly [Field in keyof SessionDevice]: SessionDevice[Field] | Shredded };

const openDevice = ({ clientId, deviceType, deviceVersion, appVersion }: KnownDevice): OpenDevice => ({
  clientId,
  deviceType: opened(deviceType),
  deviceVersion: opened(deviceVersion),
  appVersion: opened(appVersion),
});

export const isSameDevice = (known: OpenDevice, device: SessionDevice): boolean =>
  known.clientId === device.clientId &&
  known.deviceType === device.deviceType &&
  known.deviceVersion === device.deviceVersion &&
  known.appVersion === device.appVersion;
