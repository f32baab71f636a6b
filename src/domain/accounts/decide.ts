import { reject, type Decider } from '../../kernel/decider.js';
import type { SessionId, UserId } from '../../kernel/ids.js';
import type { AccountCommand, SessionDevice } from './commands.js';
import type { AccountEvent, SessionOpened } from './events.js';
import { evolve, initial, type AccountState, type KnownDevice, type OpenSession } from './state.js';

/** Sessions that one account may have at a time; the oldest make room. */
export const sessionsMax = 100;

export const accountStream = (user: UserId): string => `account-${user.toString()}`;

export const accounts: Decider<AccountCommand, AccountState, AccountEvent> = {
  stream: ({ data }) => accountStream(data.user),
  initial,
  evolve,
  begins: ['RegisterAccount'],
  rules: {
    RegisterAccount: (data, state) => {
      // The same registration again, or an id that was given out twice: that must never open somebody else's account.
      if (state.status !== 'absent') {
        return state.sessions.get(data.session)?.tokenHash === data.tokenHash ? [] : reject('CONFLICT');
      }
      const { user, email, hasPassword } = data;
      const signIn = email === undefined ? {} : { email: email.address, emailKey: email.key };
      return [{ type: 'accounts.AccountRegistered.v1', data: { user, hasPassword, ...signIn } }, opened(data)];
    },

    OpenSession: (data, state) => {
      if (state.status === 'absent') return reject('INVALID_CREDENTIALS');
      if (state.sessions.has(data.session)) return [];
      const tooMany = [...state.sessions.keys()].slice(0, Math.max(0, state.sessions.size + 1 - sessionsMax));
      return [
        ...tooMany.map((session) => ({
          type: 'accounts.SessionRevoked.v1' as const,
          data: { user: data.user, session },
        })),
        opened(data),
      ];
    },

    ResumeSession: ({ tokenHash, device, ...about }, state) => {
      const open = openIn(state, about.session);
      if (open?.tokenHash !== tokenHash) return reject('INVALID_TOKEN');
      return device === undefined ? [] : deviceChanged(about, open, device);
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
            .filter((session) => state.sessions.has(session))
            .map((session) => ({ type: 'accounts.SessionRevoked.v1', data: { user, session } })),
  },
};

const opened = (data: {
  readonly user: UserId;
  readonly session: SessionOpened['data']['session'];
  readonly tokenHash: string;
  readonly device: SessionDevice;
}): SessionOpened => ({
  type: 'accounts.SessionOpened.v1',
  data: { user: data.user, session: data.session, tokenHash: data.tokenHash, ...data.device },
});

const openIn = (state: AccountState, session: SessionId): OpenSession | undefined =>
  state.status === 'registered' ? state.sessions.get(session) : undefined;

const deviceChanged = (
  about: { readonly user: UserId; readonly session: SessionId },
  open: OpenSession,
  device: SessionDevice,
): readonly AccountEvent[] =>
  isSameDevice(open.device, device)
    ? []
    : [{ type: 'accounts.SessionDeviceChanged.v1', data: { ...about, ...device } }];

export const isSameDevice = (known: KnownDevice, device: SessionDevice): boolean =>
  known.clientId === device.clientId &&
  known.deviceType === device.deviceType &&
  known.deviceVersion === device.deviceVersion &&
  known.appVersion === device.appVersion;
