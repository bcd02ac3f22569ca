-- Take tokens from a bucket that refills by the server's own clock.
-- KEYS[1] bucket:<name> (hash: tokens, last in microseconds)
-- ARGV[1] wanted   ARGV[2] tokens per second   ARGV[3] capacity
-- Returns {granted, wait_ms}: granted <= wanted; wait_ms until one token is there, 0 if any granted.
local want, rate, capacity = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local state = redis.call('HMGET', KEYS[1], 'tokens', 'last')
local tokens = tonumber(state[1]) or capacity
local last = tonumber(state[2]) or now
-- a clock that was set back refills nothing
tokens = math.min(capacity, tokens + math.max(0, now - last) * rate / 1000000)
local granted = math.min(want, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'last', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / rate * 1000) + 1000)
local wait = 0
if granted == 0 then wait = math.ceil((1 - tokens) / rate * 1000) end
return {granted, wait}
