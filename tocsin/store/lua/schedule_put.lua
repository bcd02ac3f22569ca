-- Write down what waits for its hour. Again, with another hour, it waits for that one.
-- KEYS[1] {schedule}:due:<lane>  [2] {schedule}:leased:<lane>  [3] {schedule}:items  [4...] scheduled:<id>
-- ARGV in threes: schedule id, due (ms), JSON; of the i-th of KEYS[4...]
for i = 4, #KEYS do
  local a = 3 * (i - 4)
  local id = ARGV[a + 1]
  redis.call('ZADD', KEYS[1], ARGV[a + 2], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('HSET', KEYS[3], id, ARGV[a + 3])
  redis.call('SADD', KEYS[i], id)
end
return #KEYS - 3
