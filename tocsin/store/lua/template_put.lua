-- Store a template if it is newer than the one there.
-- KEYS[1] {templates}   KEYS[2] {templates}:revisions   ARGV[1] id   ARGV[2] revision   ARGV[3] JSON
-- Returns 1 if stored, 0 if one of this revision or a later one is there.
local there = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '-1')
if there >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
