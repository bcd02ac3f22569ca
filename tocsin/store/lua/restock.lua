-- Apply one stock change and take who waited for it.
-- KEYS[1] stock:{sku}  KEYS[2] stock:{sku}:events  KEYS[3] waiting:{sku}  KEYS[4] firing:{sku}
-- KEYS[5] store:ready, without which there is no telling what the stock was and who waits
-- ARGV[1] event id  [2] available or ''  [3] delta or ''  [4] version or ''  [5] occurred at (ms)
-- [6] 1 if this is the last change of the SKU in its batch: only that one's answer names who fires
-- Returns {applied 0|1, available now, subscription id...}: every id must reach Kafka. Without
-- KEYS[5] nothing is touched and it returns {-1, 0}.
--
-- Fires on a crossing from none to some, never on a save. Ids taken but not yet confirmed stay in
-- firing:{sku} and are returned again by any later change, so a crash loses nobody. An absolute
-- value older than the newest one known (by version, else by time) changes nothing; an event id
-- seen among the last 1,000 of the SKU changes nothing.
local KEEP = 1000
if redis.call('EXISTS', KEYS[5]) == 0 then return {-1, 0} end
local state = redis.call('HMGET', KEYS[1], 'available', 'version', 'at')
local before = tonumber(state[1] or 0)
local now = before
local applied = 0

if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  local stale = false
  if ARGV[2] ~= '' then
    if ARGV[4] ~= '' and state[2] then
      stale = tonumber(ARGV[4]) <= tonumber(state[2])
    elseif state[3] then
      stale = tonumber(ARGV[5]) < tonumber(state[3])
    end
    if not stale then now = tonumber(ARGV[2]) end
  else
    now = math.max(0, before + tonumber(ARGV[3]))
  end
  local sequence = redis.call('HINCRBY', KEYS[1], 'sequence', 1)
  redis.call('ZADD', KEYS[2], sequence, ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -KEEP - 1)
  if not stale then
    applied = 1
    redis.call('HSET', KEYS[1], 'available', now)
    if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'version', ARGV[4]) end
    if not state[3] or tonumber(ARGV[5]) > tonumber(state[3]) then
      redis.call('HSET', KEYS[1], 'at', ARGV[5])
    end
  end
end

if applied == 1 and before <= 0 and now > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    redis.call('HSET', KEYS[4], id, ARGV[1])
  end
  redis.call('DEL', KEYS[3])
end

local answer = {applied, now}
if ARGV[6] == '1' then
  for _, id in ipairs(redis.call('HKEYS', KEYS[4])) do answer[#answer + 1] = id end
end
return answer
