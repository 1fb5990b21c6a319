/**
 * Presence lives in Redis, changed only by these scripts, each of which is atomic:
 *
 * - `user:online:{user_id}`: hash, source -> `<at>:<till>`; gone when the last one has run out.
 *   A source is a session that sends heartbeats, or a process that holds open streams. `till` 0
 *   marks a source that has said goodbye, so that older news of it is recognised as old, for as long
 *   as older news could still count.
 * - `user:presence:deadlines`: sorted set of everybody who counts as online, by the time at which
 *   they no longer will. Being in it or not is the state: a transition happens exactly once.
 * - `user:presence:seen`: hash, user -> last sign of life, for those in the set.
 * - `user:presence:changes`: stream of transitions that wait to be published. Written by the same
 *   script that makes the transition, so a crash loses none.
 */
export const presenceKeys = {
  online: (userId: number) => `user:online:${userId}`,
  deadlines: 'user:presence:deadlines',
  seen: 'user:presence:seen',
  changes: 'user:presence:changes',
  relay: 'user:presence:relay',
}

/** While Kafka is away for long, old transitions give way: what counts is the newest state. */
const MAX_WAITING = 100_000

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end
local function changed(changes, user, online, seen)
  redis.call('XADD', changes, 'MAXLEN', '~', ${MAX_WAITING}, '*', 'user_id', user, 'online', online, 'seen', text(seen))
end
`

/**
 * A source vouches for users, or (ttl 0) takes it back. Times are those of the event, so old
 * events change nothing however late or often they come.
 * KEYS: deadlines, seen, changes, then `user:online:*` of each user.
 * ARGV: source, at (-1: now), ttl, grace, the longest ttl of any sign, then the user ids. Returns the deadline of each.
 */
export const TOUCH = `${NOW}
local source, at, ttl, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local longest = tonumber(ARGV[5])
if at < 0 or at > now then at = now end
local result = {}
for i = 4, #KEYS do
  local key, user = KEYS[i], ARGV[i + 2]
  local online = redis.call('ZSCORE', KEYS[1], user)
  local known = redis.call('HGET', key, source)
  local deadline = tonumber(online or '0')
  if not known or at >= tonumber(string.match(known, '^%d+')) then
    if ttl > 0 then
      redis.call('HSET', key, source, text(at) .. ':' .. text(at + ttl))
    else
      redis.call('HSET', key, source, text(at) .. ':0')
      if online then redis.call('HSET', key, 'grace', text(at) .. ':' .. text(at + grace)) end
    end
    deadline = 0
    local fields = redis.call('HGETALL', key)
    for j = 2, #fields, 2 do
      local till = tonumber(string.match(fields[j], '%d+$'))
      if till > deadline then deadline = till end
      local over = till
      if till == 0 then over = tonumber(string.match(fields[j], '^%d+')) + longest end
      if over <= now then redis.call('HDEL', key, fields[j - 1]) end
    end
    if deadline > now then
      redis.call('ZADD', KEYS[1], text(deadline), user)
      redis.call('PEXPIREAT', key, text(deadline))
      local seen = tonumber(redis.call('HGET', KEYS[2], user) or '0')
      if at > seen then redis.call('HSET', KEYS[2], user, text(at)) end
      if not online then changed(KEYS[3], user, 1, at) end
    else
      redis.call('DEL', key)
      if online then redis.call('ZADD', KEYS[1], text(now), user) end
    end
  end
  result[#result + 1] = deadline
end
return result`

/**
 * Takes those offline whose deadline has passed.
 * KEYS: deadlines, seen, changes. ARGV: at most so many, prefix of `user:online:*`. Returns how many.
 */
export const SWEEP = `${NOW}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, ARGV[1])
for _, user in ipairs(due) do
  local seen = tonumber(redis.call('HGET', KEYS[2], user) or text(now))
  redis.call('ZREM', KEYS[1], user)
  redis.call('HDEL', KEYS[2], user)
  redis.call('DEL', ARGV[2] .. user)
  changed(KEYS[3], user, 0, seen)
end
return #due`

/** Forgets a user at once. KEYS: deadlines, seen, changes, online. ARGV: user id. */
export const FORGET = `${NOW}
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then changed(KEYS[3], ARGV[1], 0, now) end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[4])`

/** Says again that somebody is online, because who may see it has changed. KEYS, ARGV as in FORGET. */
export const REPEAT = `${NOW}
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then changed(KEYS[3], ARGV[1], 1, now) end`

/** Keeps or takes the relay's lock. KEYS: relay. ARGV: holder, milliseconds. Returns 1 when it is ours. */
export const HOLD = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`

/** Gives the relay's lock back. KEYS: relay. ARGV: holder. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`
