-- Store subscriptions as the log has them, unless their person was erased.
-- KEYS[1] store:rebuild  KEYS[2] store:erased
-- KEYS in fours from the third: sub:<id>  subs:<id>  waiting:{sku}  firing:{sku}
-- ARGV[1] the rebuild's token
-- ARGV in fives from the second: id, user id, JSON, sign-up time (ms), 1 if it waits | 0 if it ended
-- Returns how many were stored, or -1 and none if the rebuild's lease is lost.
--
-- One that waits is stored unless its id is known: it may have ended since the log was read. One
-- that has ended stays so, and leaves the queue.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local stored = 0
for n = 0, (#KEYS - 2) / 4 - 1 do
  local k, a = 4 * n + 3, 5 * n + 2
  local id, json, waits = ARGV[a], ARGV[a + 2], ARGV[a + 4] == '1'
  if redis.call('SISMEMBER', KEYS[2], ARGV[a + 1]) == 0 then
    local before = redis.call('GET', KEYS[k])
    if waits and not before then
      redis.call('SET', KEYS[k], json)
      redis.call('ZADD', KEYS[k + 2], ARGV[a + 3], id)
      stored = stored + 1
    elseif not waits and before ~= json then
      redis.call('SET', KEYS[k], json)
      redis.call('ZREM', KEYS[k + 2], id)
      redis.call('HDEL', KEYS[k + 3], id)
      stored = stored + 1
    end
    redis.call('SADD', KEYS[k + 1], id)
  end
end
return stored
