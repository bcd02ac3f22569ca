-- Delete items at the person's wish, and tell whoever shows this inbox: their content goes, their
-- place stays. After inbox_expiry.lua and engaged.lua.
-- KEYS[1] inbox:{user}  [2] inbox:{user}:items  [3] inbox:{user}:meta  [4] inbox:{user}:expiry
-- KEYS[5] the stream engaged
-- ARGV[1] channel to tell   ARGV[2] the user id   ARGV[3...] the ids
-- Returns {unread left, id...}: the ids that were there. A place kept means that a batch written
-- again after a crash does not bring a deleted item back. Deleting what is unread dismisses it.
local unread, ends = swept(unpack(KEYS))
local dismissed, deleted = {}, {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local item = redis.call('HGET', KEYS[2], id)
  if item and item ~= '' then
    redis.call('HSET', KEYS[2], id, '')
    if ends then redis.call('ZREM', KEYS[4], id) end
    local score = tonumber(redis.call('ZSCORE', KEYS[1], id))
    if score % 1 == 0 then
      redis.call('ZADD', KEYS[1], score + 0.5, id)
      unread = unread - 1
      touched(dismissed, id, item)
    end
    deleted[#deleted + 1] = id
  end
end
if #deleted == 0 then return {unread} end
if #dismissed > 0 then
  redis.call('HSET', KEYS[3], 'unread', unread)
  engage(KEYS[5], 'dismiss', {{ARGV[2], dismissed}})
end
local told = {op = 'deleted', user_id = ARGV[2], ids = deleted, unread = unread}
redis.call('PUBLISH', ARGV[1], cjson.encode(told))
return {unread, unpack(deleted)}
