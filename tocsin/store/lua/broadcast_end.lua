-- The last page of a broadcast is durable.
-- KEYS[1] broadcast:<id>
-- ARGV[1] page number  [2] place of its record  [3] people looked at  [4] told of them  [5] now (ms)
-- [6] seconds to keep
-- Returns 1, or 0 if another record has that page. What was cancelled meanwhile stays so.
local there = redis.call('HMGET', KEYS[1], 'page', 'page_place', 'state')
if there[1] and (there[1] ~= ARGV[1] or there[2] ~= ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'page', ARGV[1], 'page_place', ARGV[2], 'looked_at', ARGV[3],
  'told', ARGV[4])
if there[3] ~= 'cancelled' then redis.call('HSET', KEYS[1], 'state', 'done') end
redis.call('HSETNX', KEYS[1], 'started_at', ARGV[5])
redis.call('HSETNX', KEYS[1], 'ended_at', ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
return 1
