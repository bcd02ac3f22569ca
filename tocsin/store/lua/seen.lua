-- Claim keys for whoever comes first.
-- KEYS seen:<notification> or dedupe:{user}:<type>:<key> or collapse:{user}:…
-- ARGV in twos, per key: seconds to remember, who asks
-- Returns, per key, 1 if somebody else holds it, 0 if the asker does (now or from before).
local held = {}
for i, key in ipairs(KEYS) do
  local asker = ARGV[2*i]
  local holder = redis.call('SET', key, asker, 'NX', 'GET', 'EX', ARGV[2*i - 1])
  held[i] = (holder and holder ~= asker) and 1 or 0
end
return held
