-- Whether people have acknowledged or read in-app messages.
-- KEYS in twos: inbox:{user}  inbox:{user}:meta   ARGV in twos: notification id, 'acked' | 'read'
-- Returns 1 or 0 each. What is read counts as acknowledged; what is not in the inbox as neither,
-- and what ended unread (inbox_expiry.lua) was not read.
local answer = {}
for i = 1, #KEYS, 2 do
  local score = tonumber(redis.call('ZSCORE', KEYS[i], ARGV[i]) or 0)
  local happened = score % 1 == 0.5
  if not happened and score > 0 and ARGV[i + 1] == 'acked' then
    happened = math.floor(score) <= tonumber(redis.call('HGET', KEYS[i + 1], 'acked') or 0)
  end
  answer[#answer + 1] = happened and 1 or 0
end
return answer
