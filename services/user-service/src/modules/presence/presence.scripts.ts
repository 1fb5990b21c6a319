/**
 * Presence is stored in Redis and changed only by these atomic scripts:
 *
 * - `user:online:{user_id}`: hash, source -> `<at>:<till>`; deleted when the last source has expired.   A
 * source is a session that sends heartbeats, or a process that holds open streams. `till` 0   marks a source
 * that has signed off, so that stale reports of it are recognized for as long as   they could still count.
 * - `user:presence:deadlines`: sorted set of online users by the time at which they go offline.   Membership
 * is the state: every transition happens exactly once.
 * - `user:presence:seen`: hash, user -> last sign of life, for users in the set.
 * - `user:presence:changes`: stream of unpublished transitions. Written by the script that makes the
 * transition, so that a crash loses none.
 */
export const presenceKeys = {
  online: (userId: number) => `user:online:${userId}`,
  deadlines: 'user:presence:deadlines',
  seen: 'user:presence:seen',
  changes: 'user:presence:changes',
  /** What MySQL has not been told yet: see last-seen-buffer.ts. */
  dirty: 'user:presence:dirty',
  relay: 'user:presence:relay',
}

/** During a long Kafka outage old transitions are dropped, because only the newest state matters. */
const MAX_WAITING = 100_000

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end
local function noted(dirty, user, onlines, seen)
  if onlines > 0 then redis.call('HINCRBY', dirty, 'online:' .. user, onlines) end
  local known = tonumber(redis.call('HGET', dirty, 'seen:' .. user) or '0')
  if seen > known then redis.call('HSET', dirty, 'seen:' .. user, text(seen)) end
end
local function changed(changes, user, online, seen)
  redis.call('XADD', changes, 'MAXLEN', '~', ${MAX_WAITING}, '*', 'user_id', user, 'online', online, 'seen', text(seen))
end
`

/**
 * Records or (ttl 0) revokes a source's report about users. Times are those of the event, so stale and
 * duplicate events change nothing. KEYS: deadlines, seen, changes, dirty, then `user:online:*` of each user. ARGV:
 * source, at (-1: now), ttl, grace, the longest ttl of any report, then the user ids. Returns the deadline
 * of each user.
 */
export const TOUCH = `${NOW}
local source, at, ttl, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local longest = tonumber(ARGV[5])
if at < 0 or at > now then at = now end
local result = {}
for i = 5, #KEYS do
  local key, user = KEYS[i], ARGV[i + 1]
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
      if not online then
        changed(KEYS[3], user, 1, at)
        noted(KEYS[4], user, 1, at)
      end
    else
      redis.call('DEL', key)
      if online then redis.call('ZADD', KEYS[1], text(now), user) end
    end
  end
  result[#result + 1] = deadline
end
return result`

/**
 * Marks users offline whose deadline has passed. KEYS: deadlines, seen, changes, dirty. ARGV: maximum number,
 * prefix of `user:online:*`. Returns their number.
 */
export const SWEEP = `${NOW}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, ARGV[1])
for _, user in ipairs(due) do
  local seen = tonumber(redis.call('HGET', KEYS[2], user) or text(now))
  redis.call('ZREM', KEYS[1], user)
  redis.call('HDEL', KEYS[2], user)
  redis.call('DEL', ARGV[2] .. user)
  changed(KEYS[3], user, 0, seen)
  noted(KEYS[4], user, 0, seen)
end
return #due`

/** Removes a user immediately. KEYS: deadlines, seen, changes, online, dirty. ARGV: user id. */
export const FORGET = `${NOW}
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then changed(KEYS[3], ARGV[1], 0, now) end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[5], 'online:' .. ARGV[1], 'seen:' .. ARGV[1])
redis.call('DEL', KEYS[4])`

/** Repeats the online transition of a user whose visibility has changed. KEYS, ARGV as in FORGET. */
export const REPEAT = `${NOW}
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then changed(KEYS[3], ARGV[1], 1, now) end`

/** Acquires or extends the relay's lock. KEYS: relay. ARGV: holder, milliseconds. Returns 1 when acquired. */
export const HOLD = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`

/** Releases the relay's lock. KEYS: relay. ARGV: holder. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`
