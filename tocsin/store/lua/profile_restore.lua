-- Store profiles as the log has them, unless a newer version is there or the person was erased.
-- KEYS[1] store:rebuild  KEYS[2] store:erased  KEYS[i+2] user:<id>
-- ARGV[1] the rebuild's token, '' outside of one
-- ARGV in threes from the second: user id, version, JSON
-- Returns how many were stored, or -1 and none if the rebuild's lease is lost.
if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local stored = 0
for i = 3, #KEYS do
  local at = 3 * (i - 3) + 2
  local now = redis.call('GET', KEYS[i])
  local newer = now and (cjson.decode(now).version or 0) >= tonumber(ARGV[at + 1])
  if not newer and redis.call('SISMEMBER', KEYS[2], ARGV[at]) == 0 then
    redis.call('SET', KEYS[i], ARGV[at + 2])
    stored = stored + 1
  end
end
return stored
