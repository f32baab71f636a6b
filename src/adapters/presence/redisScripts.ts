import { luaScript } from '../redis/script.js';

// Four kinds of keys. `nodes` is a sorted set of all nodes by the time of Redis, in milliseconds, until which they are
// alive; 0 is for a node whose end was announced to the others. `at:<node>` is the set of users with a session at that
// node. `user:<user>` is a hash with a field for each node, which holds the user's sessions there. `stated:<session>` is
// a hash of what a session said and when. Names of nodes are never used twice.

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Keys: nodes, at:<node>. Values: node, lifetime, how long the users of a node are kept, 'join' or 'stay'. Answers 1, or
 * 0 when the node is known no more and has to come back under another name; then the names of up to eight that died.
 */
export const beating = luaScript(`${now}
local node, lifetime, kept, how = unpack(ARGV)
local alive = 0
if how == 'join' or tonumber(redis.call('ZSCORE', KEYS[1], node) or 0) > 0 then
  redis.call('ZADD', KEYS[1], now + lifetime, node)
  redis.call('PEXPIRE', KEYS[1], kept)
  redis.call('PEXPIRE', KEYS[2], kept)
  alive = 1
end
-- The clock of Redis was ahead: a silent node must not stay alive for longer than a lifetime from now.
for _, ahead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (now + lifetime), '+inf', 'LIMIT', 0, 8)) do
  redis.call('ZADD', KEYS[1], now + lifetime, ahead)
end
return { alive, unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 8)) }
`);

/**
 * Keys: nodes, at:<node>, then the hash of each user. Values: node, how long it is kept, then for each user its id and
 * its sessions at this node, empty for none. Answers 1, or 0 when the node is known no more; then nothing was written.
 */
export const writing = luaScript(`
local node, kept = ARGV[1], ARGV[2]
if tonumber(redis.call('ZSCORE', KEYS[1], node) or 0) <= 0 then return 0 end
for index = 3, #KEYS do
  local user, sessions = ARGV[index * 2 - 3], ARGV[index * 2 - 2]
  if sessions == '' then
    redis.call('HDEL', KEYS[index], node)
    redis.call('SREM', KEYS[2], user)
  else
    redis.call('HSET', KEYS[index], node, sessions)
    redis.call('PEXPIRE', KEYS[index], kept)
    redis.call('SADD', KEYS[2], user)
  end
end
redis.call('PEXPIRE', KEYS[2], kept)
return 1
`);

/**
 * Keys: nodes, then the hash of each user. Values: the node that asks. Answers, one behind the other, the index of a
 * user, from 0, and the sessions at another node that is alive.
 */
export const reading = luaScript(`${now}
local alive = {}
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')) do alive[node] = true end
alive[ARGV[1]] = nil
local found = {}
if next(alive) == nil then return found end
for index = 2, #KEYS do
  local fields = redis.call('HGETALL', KEYS[index])
  for field = 1, #fields, 2 do
    if alive[fields[field]] then
      found[#found + 1] = index - 2
      found[#found + 1] = fields[field + 1]
    end
  end
end
return found
`);

/**
 * Keys: nodes, at:<node>. Values: node, users at most, what the keys of users begin with, 'dead' or 'any'. Removes some
 * of what is left of a node, and answers with the users, each followed by their sessions there; with none when nothing is
 * left, or when the node is alive after all and not 'any' may be swept.
 */
export const sweeping = luaScript(`${now}
local node, most, prefix, which = unpack(ARGV)
local aliveUntil = tonumber(redis.call('ZSCORE', KEYS[1], node) or 0)
if aliveUntil > now and which == 'dead' then return {} end
-- From here on it cannot come back under this name.
redis.call('ZADD', KEYS[1], 0, node)
local users = redis.call('SPOP', KEYS[2], most)
local swept = {}
for _, user in ipairs(users) do
  swept[#swept + 1] = user
  swept[#swept + 1] = redis.call('HGET', prefix .. user, node) or ''
  redis.call('HDEL', prefix .. user, node)
end
if #users == 0 then redis.call('ZREM', KEYS[1], node) end
return swept
`);

/** Keys: nodes. Values: node, for how many milliseconds its users are still shown. */
export const leaving = luaScript(`${now}
local node, remaining = unpack(ARGV)
redis.call('ZADD', KEYS[1], 'XX', now + remaining, node)
return 1
`);

/** Keys: stated:<session>. Values: the time of the statement, the statement, how long it is kept. A later one stays. */
export const keeping = luaScript(`
local at, said, kept = unpack(ARGV)
if tonumber(redis.call('HGET', KEYS[1], 'at') or -1) <= tonumber(at) then
  redis.call('HSET', KEYS[1], 'at', at, 'said', said)
end
redis.call('PEXPIRE', KEYS[1], kept)
return 1
`);
