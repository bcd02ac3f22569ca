-- Remove a shard whose lease is over, and what it held.
-- KEYS[1] shards  KEYS[2] shard:<shard>:users   ARGV[1] the shard
-- Returns 1 if removed, 0 if it lives (again): then nothing is touched.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ends and tonumber(ends) > now then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
