-- Put a new code in the place of the old one, if the account may have one now.
-- KEYS[1] otp:{account}:<purpose>  KEYS[2] ...:sends  KEYS[3] otp:{account}:failures
-- ARGV[1] code's seconds  [2] cool-down ms  [3] window ms  [4] sends in a window
--     [5] failures that lock  [6...] fields and values of the code
-- Returns {'ok', 0} | {'cooldown' | 'sends', ms to wait} | {'locked', 0}
if tonumber(redis.call('GET', KEYS[3]) or 0) >= tonumber(ARGV[5]) then return {'locked', 0} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cooldown, window, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local sends = redis.call('LRANGE', KEYS[2], 0, most - 1)
if sends[1] and now - sends[1] < cooldown then return {'cooldown', sends[1] + cooldown - now} end
local oldest = sends[most]
if oldest and now - oldest < window then return {'sends', oldest + window - now} end

redis.call('LPUSH', KEYS[2], now)
redis.call('LTRIM', KEYS[2], 0, most - 1)
redis.call('PEXPIRE', KEYS[2], window)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 6))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {'ok', 0}
