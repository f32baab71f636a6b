import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it, type TestContext } from 'node:test';
import { descriptionUnitsMax } from '../../src/domain/communities/limits.js';
import { passwordUnitsMax } from '../../src/kernel/ports/system.js';
import { entityUrlUnitsMax } from '../../src/gateway/rendering/entities.js';
import { contentBytesMax } from '../../src/gateway/packages/messages/wire.js';
import { inboundBytesMax } from '../../src/gateway/sockets/connection.js';
import type { RpcName } from '../../src/gen/rpcs.js';
import type { MessageEntityInit } from '../../src/gen/types.js';
import type { PasswordHasher } from '../../src/kernel/ports/system.js';
import type { Environment } from '../../src/config.js';
import { rawClient, type RawClient } from '../gateway/rig/rawClient.js';
import { envelopeBytesMax, hostileTexts, marks, requestWith, textFields } from '../support/attacks/hostileTexts.js';
import type { Plain } from '../support/fieldPaths.js';
import { quickHasher } from '../support/quickHasher.js';
import { testServer, type TestServer } from '../support/server.js';
import { connectionOf, ground, ownerLogin, people, type Ground } from './grounds.js';
import { outcomeTable } from './outcomeTable.js';
import { inChannel } from './places.js';
import { outcomeOf } from './seat.js';

/** The longest text that is composed may come decomposed, in four times as many units. */
const composedUnitsMax = 4 * descriptionUnitsMax;

const reallyComposedUnitsMax = 16_384;

type Work = { readonly composed: string[]; readonly parsed: string[]; readonly hashed: string[] };

/** Notes all texts that are composed, parsed and hashed since `start`. */
const recorder = () => {
  const work: Work = { composed: [], parsed: [], hashed: [] };
  const { URL: PlainUrl } = globalThis;
  const normalize = Object.getOwnPropertyDescriptor(String.prototype, 'normalize') ?? {};
  const plainNormalize = normalize.value as (this: string, form?: string) => string;
  class RecordedUrl extends PlainUrl {
    static override canParse(url: string, base?: string): boolean {
      work.parsed.push(url);
      return PlainUrl.canParse(url, base);
    }
    constructor(url: string | URL, base?: string | URL) {
      work.parsed.push(String(url));
      super(url, base);
    }
  }
  const recordedNormalize = function (this: string, form?: string): string {
    work.composed.push(this);
    // A server that composes such a text fails the test without the minutes that this would take.
    return this.length > reallyComposedUnitsMax ? this : plainNormalize.call(this, form);
  };
  const hasher: PasswordHasher = {
    hash: (password) => {
      work.hashed.push(password);
      return quickHasher.hash(password);
    },
    verify: (password, hash) => {
      work.hashed.push(password);
      return quickHasher.verify(password, hash);
    },
  };
  return {
    work,
    hasher,
    start: () => {
      for (const texts of Object.values(work)) texts.length = 0;
      globalThis.URL = RecordedUrl;
      Object.defineProperty(String.prototype, 'normalize', { ...normalize, value: recordedNormalize });
    },
    stop: () => {
      globalThis.URL = PlainUrl;
      Object.defineProperty(String.prototype, 'normalize', normalize);
    },
  };
};

const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));

const together = (texts: readonly string[]): number => texts.reduce((units, { length }) => units + length, 0);

const frameTexts = Object.values(hostileTexts).map((textOf) => textOf(inboundBytesMax - envelopeBytesMax));
const hostile = marks(65_536);

/** A request that is sound but for the text, by the RPCs that are built. */
const sound = new Map(outcomeTable.toReversed().map(({ rpc, request }) => [rpc, request]));
const texts = textFields();

describe('work on what a client sends', () => {
  const { work, hasher, start, stop } = recorder();
  let server: TestServer;
  let square: Ground;
  before(async () => {
    server = await testServer({ hasher });
    square = await ground(await people(server), 'viewChannel');
  });
  after(() => server.remove());
  beforeEach(start);
  afterEach(stop);

  const ask = async (name: RpcName, request: Plain): Promise<string | number> => {
    const connection = await connectionOf(square.people, 'owner');
    // The definitions alone pair requests with names.
    const outcome = outcomeOf(await connection.ask(name, request));
    await connection.raw.leave();
    return outcome;
  };

  for (const field of texts)
    it(`is bounded for a text as long as a frame in ${field.rpc.name}, ${field.name}`, async () => {
      const request = await sound.get(field.rpc.name)?.(square);
      for (const text of frameTexts) {
        // The definitions alone pair requests with names.
        const asked = requestWith(field, text, request);
        for (const done of Object.values(work)) done.length = 0;
        const outcome = await ask(field.rpc.name, asked);
        assert.notEqual(outcome, 500);
        assert.ok(longest(work.composed) <= composedUnitsMax, `composed ${longest(work.composed).toString()} units`);
        assert.ok(together(work.composed) <= 4 * composedUnitsMax, `composed ${together(work.composed).toString()}`);
        assert.ok(longest(work.parsed) <= entityUrlUnitsMax, `parsed ${longest(work.parsed).toString()} units`);
        assert.ok(longest(work.hashed) <= passwordUnitsMax, `hashed ${longest(work.hashed).toString()} units`);
      }
    });

  it('is asked of every text in requests, those of RPCs that are not built included', () => {
    const built = texts.filter(({ rpc }) => sound.has(rpc.name));
    assert.ok(built.length > 25, built.length.toString());
    assert.ok(texts.length > built.length + 50, texts.length.toString());
    assert.ok(frameTexts.every((text) => Buffer.byteLength(text) > inboundBytesMax - 2 * envelopeBytesMax));
  });

  it('is not begun for a password that nobody can have, with any address', async () => {
    for (const email of [ownerLogin.email, 'nobody@example.org', 'no address'])
      assert.equal(await ask('authLegacySignIn', { email, password: 'x'.repeat(passwordUnitsMax + 1) }), 403);
    assert.deepEqual(work.hashed, []);
  });

  it('is done for an address that is none as for one that nobody has', async () => {
    const password = 'x'.repeat(passwordUnitsMax);
    for (const email of ['nobody@example.org', 'no address', hostile])
      assert.equal(await ask('authLegacySignIn', { email, password }), 403);
    assert.deepEqual(work.hashed, [password, password, password]);
  });

  describe('on links', () => {
    const link = (url: string): MessageEntityInit => ({ length: 1, textUrl: { url } });
    const links = (count: number): readonly MessageEntityInit[] =>
      Array<MessageEntityInit>(count).fill(link(`http://example.org/${'x'.repeat(1_900)}`));
    const half = links(Math.ceil(contentBytesMax / 2 / 1_900));
    const all = [...half, ...half];
    const message = 'welcome';
    const requests = (): readonly (readonly [string, RpcName, (entities: readonly MessageEntityInit[]) => Plain])[] => {
      const chatRef = inChannel(square.community, square.channel);
      const messageId = square.message;
      const quoting = (quoted: readonly MessageEntityInit[]) => ({ messageId, quote: { message, entities: quoted } });
      return [
        ['a message', 'messagesSendMessage', (entities) => ({ chatRef, message, entities })],
        ['a quote', 'messagesSendMessage', (entities) => ({ chatRef, message, replyTo: quoting(entities) })],
        ['an edit', 'messagesEditMessage', (entities) => ({ chatRef, messageId, message, entities })],
        ['an edit that keeps the text', 'messagesEditMessage', (entities) => ({ chatRef, messageId, entities })],
      ];
    };

    it('is not begun where they are too long together', async () => {
      for (const [what, rpc, holding] of requests()) assert.equal(await ask(rpc, holding(all)), 413, what);
      const replyTo = { messageId: square.message, quote: { message, entities: half } };
      const chatRef = inChannel(square.community, square.channel);
      assert.equal(await ask('messagesSendMessage', { chatRef, message, entities: half, replyTo }), 413);
      assert.deepEqual(work.parsed, []);
    });

    it('is not begun for a host that is longer than any', async () => {
      const long = [link(`http://${'\u6587'.repeat(254)}/`)];
      for (const [what, rpc, holding] of requests()) assert.equal(await ask(rpc, holding(long)), 400, what);
      assert.deepEqual(work.parsed, []);
    });

    it('is done once for each', async () => {
      for (const [what, rpc, holding] of requests()) {
        work.parsed.length = 0;
        assert.equal(typeof (await ask(rpc, holding(links(3)))), 'string', what);
        assert.equal(work.parsed.length, 3, what);
      }
    });
  });
});

describe('a list that is too long', () => {
  let server: TestServer;
  before(async () => {
    server = await testServer();
  });
  after(() => server.remove());

  it('is answered with 413 and the bound, and the connection stays', async () => {
    const { seats } = await people(server);
    const { ask, raw } = seats.owner;
    const entities = Array<MessageEntityInit>(201).fill({});
    const refused = await ask('messagesSendMessage', { chatRef: { self: {} }, message: 'x', entities });
    assert.equal(refused.error?.errorCode, 413);
    assert.match(refused.error.errorMessage, /at most 200 entities/);
    assert.equal(
      outcomeOf(await ask('communitiesGetMembers', { memberIds: Array<never>(1_001).fill(1n as never) })),
      413,
    );
    assert.equal(outcomeOf(await ask('settingsChangeStatus', { activities: Array(6).fill({}) })), 413);
    assert.equal(outcomeOf(await ask('chatsGetChats', {})), 'chats');
    await raw.leave();
  });
});

describe('connections of one address without a session', () => {
  const third = async (t: TestContext, environment: Environment): Promise<readonly RawClient[]> => {
    const server = await testServer({ environment: { OSMIUM_SIGNED_OUT_PER_ADDRESS: '2', ...environment } });
    t.after(() => server.remove());
    return [await rawClient(server.url), await rawClient(server.url), await rawClient(server.url)];
  };

  it('are as many as the setting says', async (t) => {
    const clients = await third(t, { OSMIUM_RATE_LIMITS: 'on' });
    assert.equal(await Promise.race(clients.map(({ closed }) => closed)), 1013);
  });

  it('are any number without limits', async (t) => {
    for (const client of await third(t, { OSMIUM_RATE_LIMITS: 'off' })) await client.settled();
  });
});
