-- Collect entries into digest buckets: the open one of their person, category and channel, or a new one.
-- KEYS[1] {schedule}:due:<lane>  [2] {schedule}:buckets
-- KEYS[3...] in twos: {schedule}:open:<user>:<lane>:<category>:<channel>  scheduled:<id>
-- ARGV[1] entries a bucket may hold
-- ARGV[2...] in fives: schedule id, due (ms) of a new bucket, JSON, name of a new bucket, 1 if it was
--   in that one before (it is restored) else 0
-- Returns flat, per entry: its bucket, when that is due (ms); '' and 0 for one that was told in a
-- digest before, and so has ended: the log brought it again.
--
-- A bucket is open while it is in {schedule}:due:<lane>: who takes it closes it (schedule_take.lua), so
-- nothing joins one that is being made into a message. An entry collected before stays where it is.
local answer = {}
for i = 3, #KEYS, 2 do
  local a = 2 + 5 * (i - 3) / 2
  local id, bucket = ARGV[a], redis.call('HGET', KEYS[2], ARGV[a])
  local member = bucket and 'digest|' .. bucket
  local due = ARGV[a + 1]
  if not bucket and redis.call('EXISTS', '{schedule}:told:' .. id) == 1 then
    bucket, due = '', 0
  else
    if not bucket then
      local restored = ARGV[a + 4] == '1'
      bucket = not restored and redis.call('GET', KEYS[i])
      member = bucket and 'digest|' .. bucket
      local open = bucket and redis.call('ZSCORE', KEYS[1], member)
      if not open or redis.call('HLEN', '{schedule}:digest:' .. bucket) > tonumber(ARGV[1]) then
        bucket = ARGV[a + 3]
        member = 'digest|' .. bucket
        redis.call('ZADD', KEYS[1], 'NX', due, member)
        if not restored or redis.call('EXISTS', KEYS[i]) == 0 then
          redis.call('SET', KEYS[i], bucket)
        end
        redis.call('HSET', '{schedule}:digest:' .. bucket, '', KEYS[i])
      end
      redis.call('HSET', '{schedule}:digest:' .. bucket, id, ARGV[a + 2])
      redis.call('HSET', KEYS[2], id, bucket)
      redis.call('SADD', KEYS[i + 1], id)
    end
    due = redis.call('ZSCORE', KEYS[1], member) or due
  end
  answer[#answer + 1] = bucket
  answer[#answer + 1] = due
end
return answer
