-- Have items count as unread again, and tell whoever shows this inbox. After inbox_expiry.lua.
-- KEYS[1] inbox:{user}  [2] inbox:{user}:items  [3] inbox:{user}:meta  [4] inbox:{user}:expiry
-- ARGV[1] channel to tell   ARGV[2] the user id   ARGV[3...] the ids
-- Returns {unread now, id...}: the ids that became unread just now. What was deleted stays so.
local unread = swept(unpack(KEYS))
local changed = {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local item = redis.call('HGET', KEYS[2], id)
  local score = tonumber(redis.call('ZSCORE', KEYS[1], id) or 0)
  if item and item ~= '' and score % 1 == 0.5 then
    redis.call('ZADD', KEYS[1], score - 0.5, id)
    changed[#changed + 1] = id
  end
end
if #changed == 0 then return {unread} end
unread = redis.call('HINCRBY', KEYS[3], 'unread', #changed)
local told = {op = 'unread', user_id = ARGV[2], ids = changed, unread = unread}
redis.call('PUBLISH', ARGV[1], cjson.encode(told))
return {unread, unpack(changed)}
