-- Take what is due, for a while: who takes it may die.
-- KEYS[1] {schedule}:due:<lane>  [2] {schedule}:leased:<lane>  [3] {schedule}:items
-- ARGV[1] how many entries, about: a digest is not cut   [2] ms the lease runs
-- Returns {ms until the next one is due | -1 if nothing waits, bucket or '', JSON, bucket or '', JSON ...}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 1000)) do
  redis.call('ZREM', KEYS[2], member)
  redis.call('ZADD', KEYS[1], 'NX', now, member)
end
local answer = {-1}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  if #answer > 2 * ARGV[1] then break end
  redis.call('ZREM', KEYS[1], member)
  local bucket = string.match(member, '^digest|(.*)$')
  if bucket then
    local held = redis.call('HGETALL', '{schedule}:digest:' .. bucket)
    for i = 1, #held, 2 do
      if held[i] == '' then
        if redis.call('GET', held[i + 1]) == bucket then redis.call('DEL', held[i + 1]) end
      else
        answer[#answer + 1] = bucket
        answer[#answer + 1] = held[i + 1]
      end
    end
    if #held > 0 then redis.call('ZADD', KEYS[2], now + ARGV[2], member) end
  else
    local item = redis.call('HGET', KEYS[3], member)
    if item then
      redis.call('ZADD', KEYS[2], now + ARGV[2], member)
      answer[#answer + 1] = ''
      answer[#answer + 1] = item
    end
  end
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if next[2] then answer[1] = math.max(0, math.ceil(next[2] - now)) end
return answer
