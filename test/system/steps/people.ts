import { UserStatusStatus } from '../../../src/gen/types.js';
import { inChannel, say, withUser } from '../places.js';
import { resume, signUp } from '../seat.js';
import { anotherAlice } from '../townsfolk.js';
import { alices, both, members, seeing, type Step } from './step.js';

export const presence: readonly Step[] = [
  {
    title: 'the status of one session is told to nobody while another one says more',
    when: (w) => w.alice.do('settingsChangeStatus', { status: UserStatusStatus.IDLE }),
    hears: {},
    ephemeral: true,
  },
  {
    title: 'the status of all sessions together is told to whoever may see their user',
    when: (w) => w.alice2.do('settingsChangeStatus', { status: UserStatusStatus.IDLE }),
    hears: seeing('alice is idle'),
    ephemeral: true,
  },
  {
    title: 'who is invisible looks offline',
    given: (w) => w.alice2.do('settingsChangeStatus', { status: UserStatusStatus.INVISIBLE }),
    when: (w) => w.alice.do('settingsChangeStatus', { status: UserStatusStatus.INVISIBLE }),
    hears: seeing('alice is offline'),
    ephemeral: true,
  },
  {
    title: 'and is there again when they want to be',
    when: (w) => w.alice.do('settingsChangeStatus', { status: UserStatusStatus.ONLINE }),
    hears: seeing('alice is online'),
    ephemeral: true,
  },
  {
    title: 'who goes is offline',
    given: async (w) => {
      const fred = await signUp(w.server.url, 'Fred');
      w.names.set(fred.user, 'fred');
      w.comers.set('fred', fred);
      await say(fred, withUser(w.dan), 'bye');
      await say(w.dan, withUser(fred), 'bye');
    },
    // Not before: on a slow machine he would be offline by the time that the listeners are asked what they hear.
    when: async (w) => w.comers.get('fred')?.raw.leave(),
    hears: { dan: ['fred is offline'] },
    ephemeral: true,
  },
  {
    title: 'who comes back is online',
    when: (w) => resume(w.server.url, w.comers.get('fred')?.token ?? ''),
    hears: { dan: ['fred is online'] },
    ephemeral: true,
  },
];

export const endings: readonly Step[] = [
  {
    title: 'who leaves is told that the community is gone, and the others that they left and type no more',
    given: (w) => w.eve.do('chatsSetTyping', { chatRef: inChannel(w.town, w.general), typing: true }),
    when: (w) => w.eve.do('communitiesLeaveCommunity', { communityId: w.town }),
    hears: {
      ...members('eve leaves Town', 'eve types no more in #general of Town'),
      eve: ['community Town is gone'],
    },
    ephemeral: true,
  },
  {
    title: 'a new profile is told to whoever may see its owner',
    when: (w) => w.alice.do('settingsEditProfile', { name: 'Alicia', username: 'alicia' }),
    // Eve has left, and never wrote to her.
    hears: ((of) => both(members(...of('online')), { dan: of('online'), eve: of('offline') }))((status: string) => [
      `alice is now nameless, Alicia (${status})`,
      `alice is now alicia, Alicia (${status})`,
    ]),
  },
  {
    title: 'the end of a session is told to all sessions of its user',
    when: async (w) => {
      const third = await anotherAlice(w);
      w.names.set(third.session, 'third');
      await w.alice.do('authRevokeSessions', { sessionIds: [third.session] });
    },
    hears: alices('session third is gone'),
  },
  {
    title: 'the end of a community is told to all its members',
    when: (w) => w.alice.do('communitiesDeleteCommunity', { communityId: w.town }),
    hears: members('community Town is gone'),
  },
];
