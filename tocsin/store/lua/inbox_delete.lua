-- Delete items at the person's wish: their content goes, their place stays.
-- KEYS[1] inbox:{user}  KEYS[2] inbox:{user}:items  KEYS[3] inbox:{user}:meta   ARGV the ids
-- Returns the ids that were there. A place kept means that a batch written again after a crash
-- does not bring a deleted item back.
local deleted = {}
for _, id in ipairs(ARGV) do
  local item = redis.call('HGET', KEYS[2], id)
  if item and item ~= '' then
    redis.call('HSET', KEYS[2], id, '')
    local score = tonumber(redis.call('ZSCORE', KEYS[1], id))
    if score % 1 == 0 then
      redis.call('ZADD', KEYS[1], score + 0.5, id)
      redis.call('HINCRBY', KEYS[3], 'unread', -1)
    end
    deleted[#deleted + 1] = id
  end
end
return deleted
