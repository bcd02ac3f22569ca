-- Append items to people's inboxes, once per notification id. After inbox_expiry.lua.
-- KEYS, four per item: inbox:{user}  inbox:{user}:items  inbox:{user}:meta
--   sent:<notification>:inapp, and after all of them one more per item: cancelled:<notification>;
--   last store:ready, without which nothing is written and {} returned
-- inbox:{user}:expiry, which nearly none has, is named here
-- ARGV[1] epoch for inboxes made now   ARGV[2] items kept per inbox   ARGV[3] seconds to keep
-- ARGV[4] what sent: says of the delivered, ARGV[5] for so many seconds
-- ARGV[2i+4] notification id, ARGV[2i+5] the item as JSON, of the i-th item
-- then in twos, for those that end: i, when it is over (ms)
-- Returns flat, per item: epoch, offset, unread, 1 if new | 0 if it was there before | -1 if it was
-- taken back and is not written (see cancel.lua; offset 0).
--
-- A score is the item's offset, and a half more once it is read. An id already in the inbox
-- (deleted or read ones too) keeps its offset: a batch that is written again after a crash changes
-- nothing and gets the same answer.
local DAY = 86400
local answer = {}
local cap, keep, now = tonumber(ARGV[2]), tonumber(ARGV[3]), now_ms()

local function drop(inbox, items, expiry, some_end, count)
  local unread = 0
  local dropped = redis.call('ZPOPMIN', inbox, count)
  for d = 1, #dropped, 2 do
    redis.call('HDEL', items, dropped[d])
    if some_end then redis.call('ZREM', expiry, dropped[d]) end
    if tonumber(dropped[d + 1]) % 1 == 0 then unread = unread + 1 end
  end
  return unread
end

-- nearly always nothing of a batch was taken back, and one call tells
if redis.call('EXISTS', KEYS[#KEYS]) == 0 then return {} end
local count = (#KEYS - 1) / 5
local some_taken_back = count > 4000 or redis.call('EXISTS', unpack(KEYS, 4*count + 1, 5*count)) > 0
local ends = {}
for e = 2*count + 6, #ARGV, 2 do ends[tonumber(ARGV[e])] = tonumber(ARGV[e + 1]) end

for i = 1, count do
  local inbox, items, meta = KEYS[4*i - 3], KEYS[4*i - 2], KEYS[4*i - 1]
  local expiry = inbox .. ':expiry'
  local id, over = ARGV[2*i + 4], ends[i]
  local score = redis.call('ZSCORE', inbox, id)
  local state = redis.call('HMGET', meta, 'epoch', 'next', 'floor', 'unread', 'expires')
  local epoch = state[1] or ARGV[1]
  local unread = tonumber(state[4] or 0) - sweep(inbox, items, meta, expiry, state[5], now)
  local offset = score and math.floor(tonumber(score))
  local taken_back = some_taken_back and not score
    and redis.call('EXISTS', KEYS[4*count + i]) == 1
  if taken_back then
    offset = 0
  elseif not score then
    offset = tonumber(state[2] or 0) + 1
    if over and over <= now then
      redis.call('ZADD', inbox, offset + 0.25, id)
      redis.call('HSET', items, id, '')
    else
      unread = unread + 1
      redis.call('ZADD', inbox, offset, id)
      redis.call('HSET', items, id, ARGV[2*i + 5])
    end
    redis.call('SET', KEYS[4*i], ARGV[4], 'EX', ARGV[5])
    -- every place after `floor` is still there, so their number needs no ZCARD
    local surplus = offset - tonumber(state[3] or 0) - cap
    if surplus > 0 then
      unread = unread - drop(inbox, items, expiry, state[5], surplus)
      redis.call('HSET', meta, 'floor', offset - cap)
    end
    redis.call('HSET', meta, 'epoch', epoch, 'next', offset, 'unread', unread)
    -- a day of slack saves three writes on nearly every item
    if redis.call('TTL', inbox) < keep - DAY then
      redis.call('EXPIRE', inbox, keep + DAY)
      redis.call('EXPIRE', items, keep + DAY)
      redis.call('EXPIRE', meta, keep + DAY)
      if state[5] then redis.call('EXPIRE', expiry, keep + DAY) end
    end
    if over and over > now then
      redis.call('ZADD', expiry, over, id)
      redis.call('EXPIRE', expiry, keep + DAY)
      note_first(meta, expiry)
    end
  end
  local n = #answer
  answer[n + 1], answer[n + 2], answer[n + 3] = epoch, offset, unread
  answer[n + 4] = taken_back and -1 or (score and 0 or 1)
end
return answer
