-- Collect entries into digest buckets: the open one of their person, category and channel, or a new one.
-- KEYS[1] {schedule}:due  [2] {schedule}:buckets
-- KEYS[3...] in twos: {schedule}:open:<user>:<category>:<channel>  user:<id>:scheduled
-- ARGV[1] entries a bucket may hold
-- ARGV[2...] in fives: schedule id, due (ms) of a new bucket, JSON, name of a new bucket, 1 if it was
--   in that one before (it is restored) else 0
-- Returns flat, per entry: its bucket, when that is due (ms).
--
-- A bucket is open while it is in {schedule}:due: who takes it closes it (schedule_take.lua), so nothing
-- joins one that is being made into a message. An entry collected before stays where it is.
local answer = {}
for i = 3, #KEYS, 2 do
  local a = 2 + 5 * (i - 3) / 2
  local id, bucket = ARGV[a], redis.call('HGET', KEYS[2], ARGV[a])
  local member = bucket and 'digest|' .. bucket
  if not bucket then
    local restored = ARGV[a + 4] == '1'
    bucket = not restored and redis.call('GET', KEYS[i])
    member = bucket and 'digest|' .. bucket
    local open = bucket and redis.call('ZSCORE', KEYS[1], member)
    if not open or redis.call('HLEN', '{schedule}:digest:' .. bucket) > tonumber(ARGV[1]) then
      bucket = ARGV[a + 3]
      member = 'digest|' .. bucket
      redis.call('ZADD', KEYS[1], 'NX', ARGV[a + 1], member)
      if restored then redis.call('SET', KEYS[i], bucket, 'NX') else redis.call('SET', KEYS[i], bucket) end
      redis.call('HSET', '{schedule}:digest:' .. bucket, '', KEYS[i])
    end
    redis.call('HSET', '{schedule}:digest:' .. bucket, id, ARGV[a + 2])
    redis.call('HSET', KEYS[2], id, bucket)
    redis.call('SADD', KEYS[i + 1], id)
  end
  answer[#answer + 1] = bucket
  answer[#answer + 1] = redis.call('ZSCORE', KEYS[1], member) or ARGV[a + 1]
end
return answer
