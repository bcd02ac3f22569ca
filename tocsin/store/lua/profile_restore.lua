-- Store profiles as the log has them, unless a newer version is there or the person was erased.
-- KEYS[1] store:rebuild  KEYS[2] store:erased  KEYS[3] people  KEYS[i+3] user:<id>
-- ARGV[1] the rebuild's token, '' outside of one  [2] topic:
-- ARGV in threes from the third: user id, version, JSON
-- Returns how many were stored, or -1 and none if the rebuild's lease is lost.
--
-- The indexes are right afterwards either way, also where they were lost.
if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local stored = 0
for i = 4, #KEYS do
  local at = 3 * (i - 4) + 3
  local id, json = ARGV[at], ARGV[at + 2]
  local now = redis.call('GET', KEYS[i])
  local there = now and cjson.decode(now)
  local newer = there and (there.version or 0) >= tonumber(ARGV[at + 1])
  if newer or redis.call('SISMEMBER', KEYS[2], id) == 0 then
    for _, topic in ipairs(there and there.topics or {}) do
      redis.call('ZREM', ARGV[2] .. topic, id)
    end
    local kept = newer and there or cjson.decode(json)
    redis.call('ZADD', KEYS[3], 0, id)
    for _, topic in ipairs(kept.topics or {}) do redis.call('ZADD', ARGV[2] .. topic, 0, id) end
    if not newer then
      redis.call('SET', KEYS[i], json)
      stored = stored + 1
    end
  end
end
return stored
