-- Mark items read, and tell whoever shows this inbox. After inbox_expiry.lua and engaged.lua.
-- KEYS[1] inbox:{user}  [2] inbox:{user}:items  [3] inbox:{user}:meta  [4] inbox:{user}:expiry
-- KEYS[5] the stream engaged
-- ARGV[1] channel to tell   ARGV[2] the user id   ARGV[3] 'all' | 'ids'   ARGV[4...] the ids
-- Returns {unread left, id...}: the ids that became read just now.
local unread = swept(unpack(KEYS))
local asked = {}
if ARGV[3] == 'all' then
  asked = redis.call('ZRANGE', KEYS[1], 0, -1)
else
  for i = 4, #ARGV do asked[i - 3] = ARGV[i] end
end
local changed = {}
for _, id in ipairs(asked) do
  local score = tonumber(redis.call('ZSCORE', KEYS[1], id) or 0.5)
  if score % 1 == 0 then
    redis.call('ZADD', KEYS[1], score + 0.5, id)
    changed[#changed + 1] = id
  end
end
if #changed == 0 then return {unread} end
local read = {}
for i, item in ipairs(redis.call('HMGET', KEYS[2], unpack(changed))) do
  touched(read, changed[i], item or '')
end
engage(KEYS[5], 'read', {{ARGV[2], read}})
unread = redis.call('HINCRBY', KEYS[3], 'unread', -#changed)
local told = {op = 'read', user_id = ARGV[2], ids = changed, unread = unread}
redis.call('PUBLISH', ARGV[1], cjson.encode(told))
return {unread, unpack(changed)}
