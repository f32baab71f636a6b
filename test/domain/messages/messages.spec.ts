import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Content, MessageCommand } from '../../../src/domain/messages/commands.js';
import { messages } from '../../../src/domain/messages/decide.js';
import { messageEvents, theSystem, type Entity, type MessageEvent } from '../../../src/domain/messages/events.js';
import { channelChat, type ChatKey } from '../../../src/kernel/chat.js';
import type { ChannelId, CommunityId, MessageId, Millis, UserId } from '../../../src/kernel/ids.js';
import { shredded } from '../../../src/kernel/opened.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';
import { defined } from '../../../src/kernel/defined.js';
import { personal, type Personal } from '../../../src/kernel/personal.js';
import type { AliveMessage } from '../../../src/domain/messages/state.js';

const given = givenFor(messages);
const general = channelChat(100n as CommunityId, 101n as ChannelId);
const elsewhere = channelChat(100n as CommunityId, 102n as ChannelId);
const ada = 1n as UserId;
const bob = 2n as UserId;
const message = 10n as MessageId;
const bold: Entity = { start: 0, length: 5, kind: 'bold' };

const content = (text: string, entities: readonly Entity[] = [], mentions: readonly UserId[] = []): Content => ({
  text,
  entities,
  mentions,
});
const sent: Bare<MessageEvent> = {
  type: 'MessageSent',
  data: { message, chat: general, author: ada, ...content('hello') },
};
const deleted = (by: UserId): Bare<MessageEvent> => ({
  type: 'MessageDeleted',
  data: { message, chat: general, author: ada, by },
});
const edited = (to: Content): Bare<MessageEvent> => ({
  type: 'MessageEdited',
  data: { message, chat: general, author: ada, ...to, complete: true },
});
const send: MessageCommand = { type: 'SendMessage', data: { message, chat: general, by: ada, ...content('hello') } };
const edit = (to: Content, changes: { by?: UserId; chat?: ChatKey; keepsText?: boolean } = {}): MessageCommand => ({
  type: 'EditMessage',
  data: {
    message,
    chat: changes.chat ?? general,
    by: changes.by ?? ada,
    at: 0 as Millis,
    content: { ...to, keepsText: changes.keepsText ?? false },
  },
});
const remove = (by: UserId, changes: { mayDeleteOthers?: boolean; chat?: ChatKey } = {}): MessageCommand => ({
  type: 'DeleteMessage',
  data: { message, chat: general, by, mayDeleteOthers: false, ...changes },
});

describe('sending a message', () => {
  it('is a fact, once', () => {
    given().when(send).thenOnce(sent);
  });
  it('keeps what it answers, what it quotes and what the sender calls it', () => {
    const more = { replyTo: 9n as MessageId, quote: { text: 'hi', entities: [], offset: 3 }, nonce: 77n };
    given()
      .when({ ...send, data: { ...send.data, ...content('hello'), ...more } })
      .then({ ...sent, data: { ...sent.data, ...content('hello'), ...more } });
  });
  it('does not bring back a deleted one', () => {
    given(sent, deleted(ada)).when(send).then();
  });
});

const original = { writtenBy: bob, writtenAt: 5 as Millis, original: 4n as MessageId };
const forwarded: Bare<MessageEvent> = {
  type: 'MessageForwarded',
  data: { message, chat: general, author: ada, ...original, ...content('hello') },
};

describe('forwarding a message', () => {
  it('is a fact, once', () => {
    const forward: MessageCommand = {
      type: 'ForwardMessage',
      data: { message, chat: general, by: ada, ...original, ...content('hello') },
    };
    given().when(forward).thenOnce(forwarded);
    given(forwarded, deleted(ada)).when(forward).then();
  });
  it('makes a message that nobody edits, and that is deleted like any other', () => {
    given(forwarded)
      .when(edit(content('mine')))
      .refuses('NOT_EDITABLE');
    given(forwarded)
      .when(edit(content('mine'), { by: bob }))
      .refuses('NOT_AUTHOR');
    given(forwarded).when(remove(bob)).refuses('NOT_AUTHOR');
    given(forwarded).when(remove(ada)).thenOnce(deleted(ada));
  });
  it('seals the words for their author and the chat of the copy', () => {
    const binding = messageEvents.MessageForwarded.personal?.sealedFor(forwarded.data);
    assert.deepEqual(binding, { subject: bob, scope: general });
    assert.deepEqual(messageEvents.MessageSent.personal?.sealedFor(sent.data), { subject: ada, scope: general });
  });
});

describe('editing a message', () => {
  it('is a fact, once', () => {
    given(sent)
      .when(edit(content('hello!', [bold], [bob])))
      .thenOnce(edited(content('hello!', [bold], [bob])));
  });
  it('to what it says already is nothing', () => {
    given(sent)
      .when(edit(content('hello')))
      .then();
  });
  it('sees a difference in one entity', () => {
    given(sent, edited(content('hello', [bold])))
      .when(edit(content('hello', [{ ...bold, length: 4 }])))
      .then(edited(content('hello', [{ ...bold, length: 4 }])));
  });
  it('is for the author only, whatever else one may do', () => {
    given(sent)
      .when(edit(content('hacked'), { by: bob }))
      .refuses('NOT_AUTHOR');
  });
  it('does not reveal what is in another chat', () => {
    given(sent)
      .when(edit(content('hacked'), { by: bob, chat: elsewhere }))
      .refuses('MESSAGE_NOT_FOUND');
  });
  it('is too late once it was deleted', () => {
    given(sent, deleted(bob))
      .when(edit(content('hello!')))
      .refuses('MESSAGE_NOT_FOUND');
  });
  it('lays entities over the text for which they were made', () => {
    given(sent)
      .when(edit(content('hello', [bold]), { keepsText: true }))
      .thenOnce(edited(content('hello', [bold])));
  });
  it('does not lay them over another text', () => {
    given(sent, edited(content('hey')))
      .when(edit(content('hello', [bold]), { keepsText: true }))
      .refuses('CONFLICT');
  });
  it('carries on what it does not change, unless that was erased', () => {
    const kept = { quote: { text: 'hi', entities: [] }, requestHash: 'asked' };
    const first: Bare<MessageEvent> = { type: 'MessageSent', data: { ...sent.data, ...content('hello'), ...kept } };
    const again: Bare<MessageEvent> = {
      type: 'MessageEdited',
      data: { message, chat: general, author: ada, ...content('hey'), ...kept, complete: true },
    };
    given(first)
      .when(edit(content('hey')))
      .thenOnce(again);
    const byFormerRelease: Bare<MessageEvent> = {
      type: 'MessageEdited',
      data: { message, chat: general, author: ada, ...content('hello!') },
    };
    given(first, byFormerRelease)
      .when(edit(content('hey')))
      .then(again);
    const erased = { ...first.data, text: shredded, entities: shredded, quote: shredded, requestHash: shredded };
    given({ ...first, data: erased })
      .when(edit(content('hey')))
      .then(edited(content('hey')));
  });
  it('of nothing is nothing, but tells a stranger that it is not theirs', () => {
    given(sent)
      .when({ type: 'EditMessage', data: { message, chat: general, by: ada, at: 0 as Millis } })
      .then();
    given(sent)
      .when({ type: 'EditMessage', data: { message, chat: general, by: bob, at: 0 as Millis } })
      .refuses('NOT_AUTHOR');
  });
  it('writes over what was erased', () => {
    given({ ...sent, data: { ...sent.data, text: shredded, entities: shredded } })
      .when(edit(content('hello')))
      .thenOnce(edited(content('hello')));
  });
});

describe('withdrawing a message', () => {
  const withdraw: MessageCommand = { type: 'WithdrawMessage', data: { message, chat: general } };
  it('deletes it in the name of the server, once', () => {
    given(sent)
      .when(withdraw)
      .thenOnce({
        type: 'MessageDeleted',
        data: { message, chat: general, author: ada, by: theSystem, because: 'rightLost' },
      });
  });
  it('leaves alone what is deleted, is elsewhere or never was', () => {
    given(sent, deleted(ada)).when(withdraw).then();
    given().when(withdraw).then();
    given(sent)
      .when({ type: 'WithdrawMessage', data: { message, chat: elsewhere } })
      .then();
  });
});

describe('deleting a message', () => {
  it('is a fact, once', () => {
    given(sent).when(remove(ada)).thenOnce(deleted(ada));
  });
  it('of others needs the permission', () => {
    given(sent).when(remove(bob)).refuses('NOT_AUTHOR');
    given(sent)
      .when(remove(bob, { mayDeleteOthers: true }))
      .then(deleted(bob));
  });
  it('that never was is nothing', () => {
    given().when(remove(bob)).then();
  });
  it('of another chat is nothing', () => {
    given(sent)
      .when(remove(bob, { mayDeleteOthers: true, chat: elsewhere }))
      .then();
  });
});

describe('withdrawing an edit', () => {
  const paidUntil = 10_000 as Millis;
  const late: Bare<MessageEvent> = {
    type: 'MessageEdited',
    data: { message, chat: general, author: ada, ...content('late'), complete: true, editsPaidUntil: paidUntil },
  };
  const shown = (words: Personal<string>): AliveMessage => ({
    ...{ status: 'alive', chat: general, author: ada, text: words, entities: personal([bold]) },
    ...{ carried: {}, mentions: [bob], attached: {} },
  });
  const withdraw = (words = personal('hello'), editedAt?: Millis): MessageCommand => ({
    type: 'WithdrawEdit',
    data: { message, chat: general, paidUntil, shown: shown(words), ...defined({ editedAt }) },
  });
  const shows = { message, chat: general, author: ada, ...content('hello', [bold], [bob]), complete: true } as const;
  const restored = { ...shows, because: 'rightLost' } as const;
  it('shows again what was shown before, with its date, once', () => {
    given(sent, late).when(withdraw()).thenOnce({ type: 'MessageEdited', data: restored });
    given(sent, late)
      .when(withdraw(personal('hello'), 7 as Millis))
      .thenOnce({ type: 'MessageEdited', data: { ...restored, editedAt: 7 as Millis } });
  });
  it('changes nothing once another edit came, or the message is gone or elsewhere', () => {
    given(sent, late, { ...late, data: { ...late.data, editsPaidUntil: 20_000 as Millis } })
      .when(withdraw())
      .then();
    given(sent, late, deleted(ada)).when(withdraw()).then();
    const command = withdraw();
    given(sent, late)
      .when({ ...command, data: { ...command.data, chat: elsewhere } } as MessageCommand)
      .then();
  });
  it('is possible again for the edit after it', () => {
    const again = { ...late, data: { ...late.data, editsPaidUntil: paidUntil } };
    given(sent, late, { type: 'MessageEdited', data: { ...restored, editsPaidUntil: paidUntil } }, again)
      .when(withdraw())
      .thenOnce({ type: 'MessageEdited', data: restored });
  });
  it('deletes a message of which the words before can never be read again', () => {
    given(sent, late)
      .when(withdraw(shredded as unknown as Personal<string>)) // A key that was destroyed leaves this in the place of the words.
      .thenOnce({
        type: 'MessageDeleted',
        data: { message, chat: general, author: ada, by: theSystem, because: 'rightLost' },
      });
  });
});
