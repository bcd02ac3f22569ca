-- Store a profile, and who is where in the indexes, if nobody changed it since it was read.
-- KEYS[1] user:<id>  KEYS[2] people; and topic:<topic> of each topic left or followed
-- ARGV[1] version it had when read (0: none)  [2] the new JSON  [3] user id  [4] topic:
-- ARGV[5...] the topics followed now
-- Returns 1 if stored, 0 if the version moved.
--
-- The topics left are those of the JSON found here, not of what the caller read: a person erased and
-- registered anew in between may have the same version and other topics.
local now = redis.call('GET', KEYS[1])
local version, before = 0, {}
if now then
  local there = cjson.decode(now)
  version, before = there.version or 0, there.topics or {}
end
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[3])
for _, topic in ipairs(before) do redis.call('ZREM', ARGV[4] .. topic, ARGV[3]) end
for i = 5, #ARGV do redis.call('ZADD', ARGV[4] .. ARGV[i], 0, ARGV[3]) end
return 1
