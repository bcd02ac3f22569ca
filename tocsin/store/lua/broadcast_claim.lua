-- Claim broadcasts for the records that brought them first.
-- KEYS in pairs: broadcast:<id>  cancelled:<id>
-- ARGV[1] now (ms)  [2] seconds to keep  [i+2] place of the record of the i-th pair
-- Returns, per broadcast, "mine" (now or from before) | "other" another record brought it |
-- "cancelled".
local found = {}
for i = 1, #KEYS, 2 do
  local place = ARGV[2 + (i + 1) / 2]
  redis.call('HSETNX', KEYS[i], 'place', place)
  redis.call('EXPIRE', KEYS[i], ARGV[2])
  local answer = 'mine'
  if redis.call('HGET', KEYS[i], 'place') ~= place then
    answer = 'other'
  elseif redis.call('EXISTS', KEYS[i + 1]) == 1 or redis.call('HGET', KEYS[i], 'state') == 'cancelled' then
    answer = 'cancelled'
    redis.call('HSET', KEYS[i], 'state', 'cancelled')
    redis.call('HSETNX', KEYS[i], 'ended_at', ARGV[1])
  else
    redis.call('HSETNX', KEYS[i], 'state', 'waiting')
  end
  found[#found + 1] = answer
end
return found
