-- The next page of a broadcast's audience, for the record that carries this page first.
-- KEYS[1] people or topic:<topic>  [2] broadcast:<id>  [3] cancelled:<id>  [4] store:ready
-- ARGV[1] page number  [2] place of its record  [3] people looked at before  [4] told of them
-- [5] the user after whom it begins ('': from the start)  [6] most ids  [7] now (ms)  [8] seconds to keep
-- Returns {verdict, user id...}: "go" with the ids | "stale" another record has this page, or it is
-- done | "cancelled" | "emptied" this store does not hold everybody.
--
-- Progress is what the pages *before* this one came to, so a page repeated counts once. A page begun
-- means that the one before it is durable, so whoever comes late with that one may leave it.
local number = tonumber(ARGV[1])
if redis.call('EXISTS', KEYS[4]) == 0 then return {'emptied'} end
local there = redis.call('HMGET', KEYS[2], 'page', 'page_place', 'state')
local newest = tonumber(there[1] or -1)
if newest > number or (newest == number and there[2] ~= ARGV[2]) or there[3] == 'done' then
  return {'stale'}
end
redis.call('HSET', KEYS[2], 'page', ARGV[1], 'page_place', ARGV[2], 'looked_at', ARGV[3],
  'told', ARGV[4], 'people', redis.call('ZCARD', KEYS[1]))
redis.call('HSETNX', KEYS[2], 'started_at', ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[8])
if there[3] == 'cancelled' or redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('HSET', KEYS[2], 'state', 'cancelled')
  redis.call('HSETNX', KEYS[2], 'ended_at', ARGV[7])
  return {'cancelled'}
end
redis.call('HSET', KEYS[2], 'state', 'running')
local from = ARGV[5] == '' and '-' or '(' .. ARGV[5]
local ids = redis.call('ZRANGEBYLEX', KEYS[1], from, '+', 'LIMIT', 0, ARGV[6])
table.insert(ids, 1, 'go')
return ids
