import assert from 'node:assert/strict';
import { plainPresenceSeal } from '../support/presence.js';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { redisPresence, unwrittenMax, type RedisPresence } from '../../src/adapters/presence/redis.js';
import { redisPubSub } from '../../src/adapters/pubsub/redis.js';
import { redisRateLimit } from '../../src/adapters/rateLimit/redis.js';
import { openRedis, type RedisClient } from '../../src/adapters/redis/client.js';
import type { RedisConnection } from '../../src/adapters/redis/connection.js';
import { answerMillisMax, commandsMax } from '../../src/adapters/redis/pipeline.js';
import { systemClock } from '../../src/adapters/system/clock.js';
import { systemTimers } from '../../src/adapters/system/timers.js';
import type { Millis, SessionId, UserId } from '../../src/kernel/ids.js';
import type { SessionPresence } from '../../src/kernel/ports/presence.js';
import type { PubSub } from '../../src/kernel/ports/pubSub.js';
import type { RateLimit } from '../../src/kernel/ports/rateLimit.js';
import { forget, freshPrefix, hasRedisServer, keysOf, onRedis, startRedis, type OwnRedis } from '../support/redis.js';
import { tcpProxy } from '../support/tcpProxy.js';

/** A node's share of Redis. */
type Node = {
  readonly redis: RedisClient;
  readonly bus: PubSub;
  readonly presence: RedisPresence;
  readonly limit: RateLimit;
  /** 'lost' and 'found', and 'told' with users of whom others have to be told. */
  readonly events: EventEmitter;
};

const opened: Node[] = [];
after(async () => {
  for (const { bus, presence, limit, redis } of opened) {
    await Promise.all([bus.close(), presence.close(), limit.close()]);
    await redis.close();
  }
});

const started: OwnRedis[] = [];
after(() => Promise.all(started.map((redis) => redis.kill())));

const ownRedis = async (port?: string): Promise<OwnRedis> => {
  const redis = await startRedis(port);
  started.push(redis);
  return redis;
};

/** Short, so that tests are. Every quarter of it a node gives a sign of life. */
const lifetimeMillis = 1_000;

const node = async (url: string, prefix: string, lifetime = lifetimeMillis): Promise<Node> => {
  const events = new EventEmitter();
  const onStatus: Parameters<typeof openRedis>[0]['onStatus'] = ({ trouble }) =>
    void events.emit(trouble === undefined ? 'found' : 'lost');
  const redis = await openRedis({ url, clock: systemClock, onStatus });
  const onListenerError = (error: unknown): void => void events.emit('error', error);
  const presence = await redisPresence({ redis, seal, prefix, lifetimeMillis: lifetime, onListenerError });
  presence.watch((users) => void events.emit('told', users));
  const bus = redisPubSub({ redis, prefix, onListenerError });
  const made = {
    redis,
    bus,
    presence,
    limit: redisRateLimit({ redis, prefix, timers: systemTimers, hidden: (of) => of }),
    events,
  };
  opened.push(made);
  return made;
};

const seal = plainPresenceSeal;

const freshUser = (): UserId => BigInt(`0x${randomBytes(7).toString('hex')}`) as UserId;

const online = (user: UserId, session = 1n): SessionPresence => ({
  user,
  session: session as SessionId,
  status: 'online',
  activities: [],
  lastActive: 0 as Millis,
});

const message = (number: number): Uint8Array => Uint8Array.of(number);

/** Resolves when the number has been heard; a publisher says it again and again, since nothing keeps it for us. */
const hears = async (from: PubSub, to: PubSub): Promise<void> => {
  const heard = new EventEmitter();
  const unsubscribe = await to.subscribe('fence', () => void heard.emit('heard'));
  const saying = setInterval(() => void from.publish('fence', message(0)), 20);
  await once(heard, 'heard');
  clearInterval(saying);
  await unsubscribe();
};

/** Resolves when the users have been told of, in however many pieces. */
const told = async ({ events }: Node, users: readonly UserId[]): Promise<void> => {
  const missing = new Set(users);
  while (missing.size > 0) {
    const [piece] = (await once(events, 'told')) as [readonly UserId[]]; // by `node`
    for (const user of piece) missing.delete(user);
  }
};

const secondsOf = async (work: () => unknown): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
};

/** On top of `answerMillisMax`, for a machine that is busy with other things. */
const slackSeconds = 0.5;

const allowance = { name: 'test', burst: 3, perSecond: 0.001 };
const takeAll = async (limit: RateLimit): Promise<number> => {
  let count = 0;
  while ((await limit.take(allowance, 'someone')).allowed) count += 1;
  return count;
};

onRedis('redis: what the ports do with it', (url) => {
  describe('pub/sub on redis', () => {
    it('uses sharded channels where Redis has them', async () => {
      const prefix = freshPrefix();
      const { redis, bus } = await node(url, prefix);
      await bus.subscribe('topic', () => undefined);
      const listing = redis.subscriptions.hasShardedChannels ? 'SHARDCHANNELS' : 'CHANNELS';
      assert.deepEqual(await redis.commands.send('PUBSUB', listing, `${prefix}*`), [`${prefix}topic`]);
    });

    it('lets the publisher hear itself once', async () => {
      const prefix = freshPrefix();
      const [here, there] = [await node(url, prefix), await node(url, prefix)];
      const heard: unknown[] = [];
      await here.bus.subscribe('topic', ([number]) => void heard.push(number));
      await here.bus.publish('topic', message(1));
      await hears(there.bus, here.bus);
      assert.deepEqual(heard, [1]);
    });
  });

  describe('presence on redis', () => {
    it('loses the users of a process that is killed, and tells of them', async () => {
      const prefix = freshPrefix();
      const here = await node(url, prefix);
      const user = freshUser();
      const script = fileURLToPath(new URL('redisNode.js', import.meta.url));
      const values = [script, url, prefix, lifetimeMillis.toString(), user.toString()];
      const there = spawn(process.execPath, values, { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(there.stdout, 'data');
      assert.deepEqual(await here.presence.of([user]), [[online(user)]]);
      const gone = told(here, [user]);
      there.kill('SIGKILL');
      const seconds = await secondsOf(() => gone);
      assert.deepEqual(await here.presence.of([user]), [[]]);
      assert.ok(seconds < (lifetimeMillis * 1.25) / 1_000 + slackSeconds, seconds.toString());
    });

    it('loses the users of a process that died while the clock of Redis was an hour ahead', async () => {
      const prefix = freshPrefix();
      const here = await node(url, prefix);
      // The traces that the process left.
      const hourAhead = (Date.now() + 3_600_000).toString();
      const user = freshUser();
      await here.redis.commands.send('ZADD', `${prefix}nodes`, hourAhead, 'dead');
      await here.redis.commands.send('SADD', `${prefix}at:dead`, user.toString());
      await told(here, [user]);
    });

    it('shows the users of a node that closes for a while, and tells only of those who did not come back', async () => {
      const prefix = freshPrefix();
      const [here, there] = [await node(url, prefix), await node(url, prefix)];
      const [missing, back] = [freshUser(), freshUser()];
      for (const user of [missing, back]) await there.presence.put(online(user));
      const told: UserId[] = [];
      here.events.on('told', (users: readonly UserId[]) => void told.push(...users));
      const gone = once(here.events, 'told');
      await there.presence.close();
      assert.deepEqual(await here.presence.of([missing]), [[online(missing)]]);
      await here.presence.put(online(back));
      await gone;
      assert.deepEqual(told, [missing]);
      assert.deepEqual(await here.presence.of([missing, back]), [[], [online(back)]]);
    });

    it('shows a session at two nodes once, until it is at none', async () => {
      const prefix = freshPrefix();
      const [here, there] = [await node(url, prefix), await node(url, prefix)];
      const user = freshUser();
      const newer = { ...online(user), lastActive: 1 as Millis };
      await here.presence.put(online(user));
      await there.presence.put(newer);
      assert.deepEqual(await here.presence.of([user]), [[newer]]);
      await there.presence.remove(user, 1n as SessionId);
      assert.deepEqual(await there.presence.of([user]), [[online(user)]]);
      await here.presence.remove(user, 1n as SessionId);
      assert.deepEqual(await there.presence.of([user]), [[]]);
    });

    it('reads hundreds of users with one command', async () => {
      const prefix = freshPrefix();
      const [here, there] = [await node(url, prefix), await node(url, prefix)];
      const users = Array.from({ length: 400 }, freshUser);
      await Promise.all(users.map((user) => there.presence.put(online(user))));
      const { commands, counted } = counting(here.redis.commands);
      const reader = await redisPresence({ redis: { commands }, seal, prefix, onListenerError: () => undefined });
      const before = counted();
      const found = await reader.of(users);
      assert.equal(counted() - before, 1);
      await reader.close();
      assert.deepEqual(
        found,
        users.map((user) => [online(user)]),
      );
    });

    it('enters again what Redis has lost, and tells of it', async () => {
      const prefix = freshPrefix();
      const [here, there] = [await node(url, prefix), await node(url, prefix)];
      const users = Array.from({ length: 1_200 }, freshUser);
      await Promise.all(users.map((user) => there.presence.put(online(user))));
      const back = told(there, users);
      await forget(here.redis, prefix);
      await back;
      assert.deepEqual(
        await here.presence.of(users),
        users.map((user) => [online(user)]),
      );
    });
  });

  it('redis: a node that finds it again later than the others is told as well', async (t) => {
    const [near, far] = [await tcpProxy(url), await tcpProxy(url)];
    t.after(() => Promise.all([near.close(), far.close()]));
    const prefix = freshPrefix();
    // Others have a quarter of it.
    const lifetime = 10_000;
    const [here, there] = [await node(near.url, prefix, lifetime), await node(far.url, prefix, lifetime)];
    const news = new EventEmitter();
    await there.bus.subscribe('users', () => void news.emit('heard'));
    here.presence.watch(async (users) => {
      await here.bus.publish('users', message(0));
      here.events.emit('told', users);
    });
    const lost = [once(here.events, 'lost'), once(there.events, 'lost')];
    await Promise.all([near.goAway(), far.goAway(), ...lost]);

    const [missed, next] = [freshUser(), freshUser()];
    await here.presence.put(online(missed));
    const nobodyHears = told(here, [missed]);
    await near.comeBack();
    await nobodyHears;
    await here.presence.put(online(next));
    const again = told(here, [missed, next]);
    const heard = once(news, 'heard');
    await far.comeBack();
    await Promise.all([again, heard]);
  });

  describe('limits on redis', () => {
    it('are shared by the nodes', async () => {
      const prefix = freshPrefix();
      const [here, there] = [await node(url, prefix), await node(url, prefix)];
      assert.deepEqual([await takeAll(here.limit), await takeAll(there.limit)], [3, 0]);
    });
  });

  it('redis: keeps nothing for ever', async () => {
    const prefix = freshPrefix();
    const { redis, presence, limit } = await node(url, prefix);
    await presence.put(online(freshUser()));
    await limit.take(allowance, 'someone');
    const keys = await keysOf(redis, prefix);
    const lives = await Promise.all(keys.map((key) => redis.commands.send('PTTL', key)));
    assert.equal(keys.length, 4);
    assert.ok(lives.every((millis) => Number(millis) > 0));
  });
});

describe('redis over TLS', () => {
  it('is told the name that is in the address, by which servers of one address are told apart', async () => {
    const names = new Set<string>();
    const server = createServer({
      SNICallback: (name, done) => {
        names.add(name);
        done(new Error('there is no such server'));
      },
    });
    server.listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
    const redis = await openRedis({ url: `rediss://localhost:${port.toString()}`, clock: systemClock });
    await redis.close();
    server.close();
    assert.deepEqual([...names], ['localhost']);
  });
});

describe(
  'redis away',
  { skip: !hasRedisServer && 'needs redis-server; on Debian: apt-get install redis-server' },
  () => {
    it('lets a node begin alone, and join when it comes', async () => {
      const first = await ownRedis();
      await first.kill();
      const prefix = freshPrefix();
      const alone = await node(first.url, prefix);
      const user = freshUser();
      const heard: unknown[] = [];
      await alone.bus.subscribe('topic', ([number]) => void heard.push(number));
      await alone.bus.publish('topic', message(1));
      await alone.presence.put(online(user));
      assert.deepEqual(
        [heard, await alone.presence.of([user]), await takeAll(alone.limit)],
        [[1], [[online(user)]], 3],
      );
      await alone.limit.giveBack(allowance, 'someone');
      assert.equal(await takeAll(alone.limit), 1);
      assert.match(alone.redis.status().trouble?.reason ?? '', /ECONNREFUSED/);

      const seen = told(alone, [user]);
      const second = await ownRedis(new URL(first.url).port);
      await seen;
      const other = await node(second.url, prefix);
      assert.deepEqual(await other.presence.of([user]), [[online(user)]]);
      await hears(other.bus, alone.bus);
      assert.deepEqual([await takeAll(alone.limit), await takeAll(other.limit)], [3, 0]);
      assert.equal(alone.redis.status().trouble, undefined);
    });

    it('costs nobody any time when it dies, and nothing when it comes back empty', async () => {
      const first = await ownRedis();
      const prefix = freshPrefix();
      const [here, there] = [await node(first.url, prefix), await node(first.url, prefix)];
      const [stays, comes, goes] = [freshUser(), freshUser(), freshUser()];
      await here.presence.put(online(stays));
      await here.presence.put(online(goes));
      const lost = Promise.all([once(here.events, 'lost'), once(there.events, 'lost')]);
      await first.kill();
      await lost;

      const seconds = await secondsOf(async () => {
        await here.presence.put(online(comes));
        await here.presence.remove(goes, 1n as SessionId);
        // More than can be remembered one by one.
        const passing = Array.from({ length: unwrittenMax + 10 }, freshUser);
        for (const user of passing) {
          await here.presence.put(online(user));
          await here.presence.remove(user, 1n as SessionId);
        }
        assert.deepEqual(await there.presence.of([stays]), [[]]);
        assert.equal(await takeAll(here.limit), 3);
      });
      // Had each waited for Redis but 10 ms, it would have been minutes.
      assert.ok(seconds < 30, seconds.toString());
      assert.equal(here.redis.status().waiting, 0);

      const seen = told(here, [comes]);
      await ownRedis(new URL(first.url).port);
      await seen;
      await hears(here.bus, there.bus);
      await hears(there.bus, here.bus);
      assert.deepEqual(await there.presence.of([stays, comes, goes]), [[online(stays)], [online(comes)], []]);
      assert.deepEqual([await takeAll(here.limit), await takeAll(there.limit)], [3, 0]);
    });

    it('costs one short wait when it stands still, and heals when it goes on', async () => {
      const redis = await ownRedis();
      const prefix = freshPrefix();
      const [here, there] = [await node(redis.url, prefix), await node(redis.url, prefix)];
      const user = freshUser();
      const topic = await heardOn(there.bus);
      redis.signal('SIGSTOP');
      const first = await secondsOf(() => here.presence.put(online(user)));
      assert.ok(first < answerMillisMax / 1_000 + slackSeconds, first.toString());
      const next = await secondsOf(async () => {
        for (let count = 0; count < 10_000; count += 1) await here.bus.publish('topic', message(1));
        assert.equal(await takeAll(here.limit), 3);
        assert.deepEqual(await here.presence.of([user]), [[online(user)]]);
      });
      assert.ok(next < 2, next.toString());
      assert.match(here.redis.status().trouble?.reason ?? '', /no answer within 250 ms/);
      // Whether the two connections work is asked all the time.
      assert.ok(here.redis.status().waiting <= 2);

      const seen = told(here, [user]);
      redis.signal('SIGCONT');
      await seen;
      await hears(here.bus, there.bus);
      assert.deepEqual(await there.presence.of([user]), [[online(user)]]);
      assert.deepEqual(topic.heard, []);
    });

    it('leaves nothing behind of those who come and go meanwhile', async () => {
      const redis = await ownRedis();
      const { presence, bus, limit, events } = await node(redis.url, freshPrefix());
      const lost = once(events, 'lost');
      await redis.kill();
      await lost;
      const users = Array.from({ length: 100 }, freshUser);
      const comeAndGo = async (times: number): Promise<void> => {
        for (let count = 0; count < times; count += 1) {
          const entry = online(users[count % users.length] ?? (1n as UserId), BigInt(count)); // one of a hundred
          await presence.put(entry);
          await bus.publish('topic', message(1));
          await limit.take(allowance, 'someone');
          await presence.remove(entry.user, entry.session);
        }
      };
      await comeAndGo(5_000);
      const before = heapBytes();
      await comeAndGo(50_000);
      assert.ok(heapBytes() - before < 5_000_000);
    });

    it('is reached again after connections that led nowhere', async () => {
      const redis = await ownRedis();
      const prefix = freshPrefix();
      const [here, there] = [await node(redis.url, prefix), await node(redis.url, prefix)];
      redis.signal('SIGSTOP');
      await here.redis.commands.send('PING').catch(() => undefined);
      // The first connection was made before, and was dropped for its silence; the next one is never greeted.
      await until(() => here.redis.status().trouble?.reason.startsWith('Socket timeout') === true);
      const found = once(here.events, 'found');
      redis.signal('SIGCONT');
      await found;
      await hears(there.bus, here.bus);
      await hears(here.bus, there.bus);
    });

    it('is given the script again when it has forgotten it', async () => {
      const { redis, limit } = await node((await ownRedis()).url, freshPrefix());
      await limit.take(allowance, 'someone');
      // Of everybody, so this is not for a Redis that others use.
      await redis.commands.send('SCRIPT', 'FLUSH');
      assert.equal(await takeAll(limit), 2);
      assert.equal(redis.status().unanswered, 0);
    });

    it('takes no more than can wait', async () => {
      const redis = await ownRedis();
      const { redis: client } = await node(redis.url, freshPrefix());
      redis.signal('SIGSTOP');
      const sent = Array.from({ length: commandsMax + 10 }, () => client.commands.send('PING'));
      // Beside them the connection for subscriptions may be asked whether it works, at any time and until it is late.
      assert.ok(client.status().waiting - commandsMax <= 1);
      const outcomes = await Promise.allSettled(sent);
      const tooMany = outcomes.filter((one) => one.status === 'rejected' && String(one.reason).includes('too many'));
      assert.equal(tooMany.length, 10);
      assert.ok(outcomes.every(({ status }) => status === 'rejected'));
      await until(() => client.status().waiting === 0);
      redis.signal('SIGCONT');
    });

    it('is looked for again when it says that it is a replica, be it to a script', async () => {
      const redis = await ownRedis();
      const { commands } = (await node(redis.url, freshPrefix())).redis;
      // Of Redis 7 and of Redis 6.
      for (const before of ['', 'ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -']) {
        const usable = new Promise<void>((resolve) => commands.onUsable(resolve));
        const refusing = `return redis.error_reply("${before}READONLY You can't write against a read only replica.")`;
        await assert.rejects(commands.send('EVAL', refusing, 0), /READONLY/);
        await usable;
      }
    });

    it('is said as well when it is there and refuses', async () => {
      const redis = await ownRedis();
      const { redis: client, limit } = await node(redis.url, freshPrefix());
      await client.commands.send('CONFIG', 'SET', 'maxmemory', '1');
      assert.equal(await takeAll(limit), 3);
      assert.match(client.status().trouble?.reason ?? '', /OOM/);
    });
  },
);

const counting = (
  connection: RedisConnection,
): { readonly commands: RedisConnection; readonly counted: () => number } => {
  let count = 0;
  const commands: RedisConnection = {
    isUsable: true,
    connects: 1,
    hasShardedChannels: true,
    send: (...command) => {
      count += 1;
      return connection.send(...command);
    },
    run: (script, keys, values) => {
      count += 1;
      return connection.run(script, keys, values);
    },
    onUsable: (listener) => connection.onUsable(listener),
    onMessage: (listener) => connection.onMessage(listener),
  };
  return { commands, counted: () => count };
};

const heardOn = async (bus: PubSub): Promise<{ readonly heard: readonly number[] }> => {
  const heard: number[] = [];
  await bus.subscribe('topic', ([number = -1]) => void heard.push(number));
  return { heard };
};

/** What is in use, without garbage. */
const heapBytes = (): number => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)(); // which the flag has just made
  return process.memoryUsage().heapUsed;
};

/** For what has no event: looks again and again. */
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
};
