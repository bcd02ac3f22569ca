-- Count notifications against the limits of the people they go to.
-- KEYS cap:{user}:<name>, as many per notification as it has limits
-- ARGV, per notification: its id, how many limits, then per limit: most, window in ms
-- Returns flat, per notification: place (from 1) of the limit that is reached | 0, how many count.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer, key, arg = {}, 1, 1
while arg <= #ARGV do
  local id, limits = ARGV[arg], tonumber(ARGV[arg + 1])
  arg = arg + 2
  local refused, counted, known = 0, 0, true
  for i = 1, limits do
    local name, most, per = KEYS[key + i - 1], tonumber(ARGV[arg + 2*i - 2]), ARGV[arg + 2*i - 1]
    redis.call('ZREMRANGEBYSCORE', name, '-inf', now - per)
    local there = redis.call('ZCARD', name)
    local own = redis.call('ZSCORE', name, id)
    if i == 1 then counted = there + (own and 0 or 1) end
    if not own then
      known = false
      if refused == 0 and there >= most then refused, counted = i, there end
    end
  end
  if refused == 0 and not known then
    for i = 1, limits do
      local name, per = KEYS[key + i - 1], ARGV[arg + 2*i - 1]
      redis.call('ZADD', name, 'NX', now, id)
      redis.call('PEXPIRE', name, per)
    end
  end
  key, arg = key + limits, arg + 2 * limits
  answer[#answer + 1] = refused
  answer[#answer + 1] = counted
end
return answer
