-- Claim keys for whoever comes first.
-- KEYS seen:<notification> or dedupe:<user>:<type>:<key>
-- ARGV[1] seconds to remember   ARGV[i+1] who asks for KEYS[i]
-- Returns, per key, 1 if somebody else holds it, 0 if the asker does (now or from before).
local held = {}
for i, key in ipairs(KEYS) do
  local holder = redis.call('SET', key, ARGV[i + 1], 'NX', 'GET', 'EX', ARGV[1])
  held[i] = (holder and holder ~= ARGV[i + 1]) and 1 or 0
end
return held
