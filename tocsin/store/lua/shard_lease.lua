-- Renew a shard's lease by the server's clock.
-- KEYS[1] shards   ARGV[1] the shard   ARGV[2] milliseconds the lease runs
-- Returns {1 if it was still held | 0, shard whose lease is over...}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
local held = (ends and tonumber(ends) > now) and 1 or 0
return {held, unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now))}
