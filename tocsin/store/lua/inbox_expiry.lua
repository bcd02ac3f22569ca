-- Before each script that reads or changes inboxes: items do not outlive their expires_at. Uses no
-- KEYS and no ARGV of its own.
--
-- `inbox:{user}:expiry` has the ids of those that end, by when (ms), and `expires` in
-- `inbox:{user}:meta` is no later than the first of them: where nothing ends, nothing is looked up.
-- An item that is over is emptied and keeps its place, like a deleted one, so that nothing written
-- again brings it back; its score is a quarter more if nobody had read it.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function note_first(meta, expiry)
  local first = redis.call('ZRANGE', expiry, 0, 0, 'WITHSCORES')[2]
  if first then redis.call('HSET', meta, 'expires', first) else redis.call('HDEL', meta, 'expires') end
end

-- Empty what is over, of an inbox whose `expires` is `first`; how many of it were unread.
local function sweep(inbox, items, meta, expiry, first, now)
  if not first or tonumber(first) > now then return 0 end
  local unread = 0
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', now)) do
    local score = tonumber(redis.call('ZSCORE', inbox, id) or 0)
    if score > 0 then redis.call('HSET', items, id, '') end
    if score > 0 and score % 1 == 0 then
      redis.call('ZADD', inbox, score + 0.25, id)
      unread = unread + 1
    end
  end
  redis.call('ZREMRANGEBYSCORE', expiry, '-inf', now)
  note_first(meta, expiry)
  if unread > 0 then redis.call('HINCRBY', meta, 'unread', -unread) end
  return unread
end

-- The same for one inbox as a whole; how many are unread then, and whether any item of it ends.
local function swept(inbox, items, meta, expiry)
  local state = redis.call('HMGET', meta, 'unread', 'expires')
  local unread, first = tonumber(state[1] or 0), state[2]
  if first then unread = unread - sweep(inbox, items, meta, expiry, first, now_ms()) end
  return unread, first
end
