-- Forget a person, in the indexes too.
-- KEYS[1] user:<id>  KEYS[2] people; and topic:<topic> of each topic followed
-- ARGV[1] user id  [2] topic:
-- Returns 1 if there was one.
local there = redis.call('GET', KEYS[1])
if not there then return 0 end
for _, topic in ipairs(cjson.decode(there).topics or {}) do
  redis.call('ZREM', ARGV[2] .. topic, ARGV[1])
end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
return 1
