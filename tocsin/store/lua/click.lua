-- Notes the message whose link a person followed last; one that was followed before that is not.
-- KEYS[1] clicked:<user>
-- ARGV[1] when it was followed (ms), ARGV[2] the message as JSON, ARGV[3] seconds to remember it
local last = tonumber(string.match(redis.call('GET', KEYS[1]) or '', '^%d+')) or 0
if tonumber(ARGV[1]) >= last then
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'EX', ARGV[3])
end
