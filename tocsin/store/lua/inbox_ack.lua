-- Remember how far people's devices have acknowledged, never less than before, and put on record
-- what that was the first time. After engaged.lua.
-- KEYS in threes: inbox:{user}  inbox:{user}:items  inbox:{user}:meta; last the stream engaged
-- ARGV in threes: user id, epoch the offset is of, offset
local people, count = {}, 0
for i = 1, (#KEYS - 1) / 3 do
  local inbox, items, meta = KEYS[3*i - 2], KEYS[3*i - 1], KEYS[3*i]
  local state = redis.call('HMGET', meta, 'epoch', 'acked', 'next')
  -- nobody can have what was never given
  local offset = math.min(tonumber(ARGV[3*i]), tonumber(state[3] or 0))
  local before = tonumber(state[2] or 0)
  if state[1] == ARGV[3*i - 1] and offset > before then
    redis.call('HSET', meta, 'acked', offset)
    local ids = redis.call('ZRANGEBYSCORE', inbox, before + 1, offset + 0.5)
    local acked = {}
    if #ids > 0 then
      for j, item in ipairs(redis.call('HMGET', items, unpack(ids))) do
        if item and item ~= '' then touched(acked, ids[j], item) end
      end
    end
    if #acked > 0 then
      people[#people + 1] = {ARGV[3*i - 2], acked}
      count = count + #acked / 3
    end
    if count >= ITEMS_PER_ENTRY then
      engage(KEYS[#KEYS], 'ack', people)
      people, count = {}, 0
    end
  end
end
if count > 0 then engage(KEYS[#KEYS], 'ack', people) end
return 1
