import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PreviewCommand } from '../../../src/domain/previews/commands.js';
import { previews } from '../../../src/domain/previews/decide.js';
import type { PreviewEvent } from '../../../src/domain/previews/events.js';
import { isSuppressed } from '../../../src/domain/previews/state.js';
import { selfChat } from '../../../src/kernel/chat.js';
import type { MessageId, UserId } from '../../../src/kernel/ids.js';
import type { Bare } from '../../support/bare.js';
import { givenFor } from '../../support/given.js';

const author = 1n as UserId;
const about = { message: 10n as MessageId, chat: selfChat(author), author };
const preview = { url: 'https://a.example/', title: 'A page' };

const show = (revision: number): PreviewCommand => ({ type: 'ShowPreview', data: { ...about, revision, preview } });
const found = (revision: number): Bare<PreviewEvent> => ({
  type: 'PreviewFound',
  data: { ...about, revision, preview },
});
const suppress = ({ sentSuppressed } = { sentSuppressed: false }): PreviewCommand => ({
  type: 'SuppressPreviews',
  data: { ...about, sentSuppressed },
});
const allow = ({ sentSuppressed } = { sentSuppressed: false }): PreviewCommand => ({
  type: 'AllowPreviews',
  data: { ...about, sentSuppressed },
});
const sentSuppressed = { sentSuppressed: true };
const remove: PreviewCommand = { type: 'RemovePreview', data: about };
const suppressed: Bare<PreviewEvent> = { type: 'PreviewsSuppressed', data: about };
const allowed: Bare<PreviewEvent> = { type: 'PreviewsAllowed', data: about };
const removed: Bare<PreviewEvent> = { type: 'PreviewRemoved', data: about };

const outdate = (revision: number): PreviewCommand => ({ type: 'OutdatePreview', data: { ...about, revision } });
const outdated = (revision: number): Bare<PreviewEvent> => ({
  type: 'PreviewOutdated',
  data: { ...about, revision },
});

const after = givenFor(previews);

describe('the preview of a message', () => {
  it('is found once for each revision, and never for a former one', () => {
    after().when(show(0)).then(found(0));
    after(found(0)).when(show(0)).then();
    after(found(0)).when(show(2)).then(found(2));
    after(found(2)).when(show(1)).then();
    after(allowed).when(show(0)).then(found(0));
  });

  it('does not come once the author wants none, or the message is gone', () => {
    after(suppressed).when(show(0)).then();
    after(removed).when(show(0)).then();
  });

  it('is suppressed and allowed again, each once', () => {
    after(found(0)).when(suppress()).then(suppressed);
    after().when(suppress()).then(suppressed);
    after().when(suppress(sentSuppressed)).then();
    after(suppressed).when(suppress()).then();
    after(suppressed).when(allow()).then(allowed);
    after().when(allow()).then();
    after().when(allow(sentSuppressed)).then(allowed);
    after(allowed).when(allow(sentSuppressed)).then();
    after(allowed).when(suppress(sentSuppressed)).then(suppressed);
    after(removed).when(suppress()).then();
  });

  it('goes with the words that it is for, and those of before do not come again', () => {
    after(found(0)).when(outdate(1)).then(outdated(1));
    after(found(1)).when(outdate(1)).then();
    for (const before of [suppressed, allowed, removed, outdated(1)]) after(before).when(outdate(2)).then();
    after(outdated(1)).when(show(0)).then();
    after(outdated(1)).when(show(1)).then(found(1));
    after(outdated(1)).when(suppress()).then(suppressed);
  });

  it('goes with its message', () => {
    after(found(0)).when(remove).then(removed);
    for (const before of [suppressed, allowed, removed]) after(before).when(remove).then();
    after().when(remove).then();
  });

  it('is suppressed by the message as it was sent until the author says something else', () => {
    const sent = { suppressEmbeds: true };
    assert.ok(isSuppressed({ status: 'asSent' }, sent));
    assert.ok(!isSuppressed({ status: 'asSent' }, {}));
    assert.ok(!isSuppressed({ status: 'allowed' }, sent));
    assert.ok(isSuppressed({ status: 'suppressed' }, {}));
  });
});
