-- Remember how far people's devices have acknowledged; never less than before.
-- KEYS inbox:{user}:meta   ARGV in twos: epoch the offset is of, offset
for i, key in ipairs(KEYS) do
  local state = redis.call('HMGET', key, 'epoch', 'acked')
  if state[1] == ARGV[2*i - 1] and tonumber(ARGV[2*i]) > tonumber(state[2] or 0) then
    redis.call('HSET', key, 'acked', ARGV[2*i])
  end
end
return #KEYS
