-- Forget what was woken. What waits again meanwhile (it is due at another hour) is left alone. Of
-- what was collected it stays known for a day that it was told ({schedule}:told:<id>).
-- KEYS[1] {schedule}:due:<lane>  [2] {schedule}:items  [3] {schedule}:buckets  [4] {schedule}:leased:<lane>
-- KEYS[5...] scheduled:<id>   ARGV[i] schedule id of KEYS[i + 4]
for i, id in ipairs(ARGV) do
  local bucket = redis.call('HGET', KEYS[3], id)
  if bucket then
    local name = '{schedule}:digest:' .. bucket
    redis.call('HDEL', name, id)
    redis.call('SET', '{schedule}:told:' .. id, '1', 'EX', 86400)
    redis.call('HDEL', KEYS[3], id)
    redis.call('SREM', KEYS[i + 4], id)
    if redis.call('HLEN', name) <= 1 then
      local open = redis.call('HGET', name, '')
      if open and redis.call('GET', open) == bucket then redis.call('DEL', open) end
      redis.call('DEL', name)
      redis.call('ZREM', KEYS[1], 'digest|' .. bucket)
      redis.call('ZREM', KEYS[4], 'digest|' .. bucket)
    end
  elseif not redis.call('ZSCORE', KEYS[1], id) then
    redis.call('ZREM', KEYS[4], id)
    redis.call('HDEL', KEYS[2], id)
    redis.call('SREM', KEYS[i + 4], id)
  end
end
return #ARGV
