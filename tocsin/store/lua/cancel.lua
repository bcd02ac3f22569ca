-- Take a notification back, and see which of its deliveries that comes too late for.
-- KEYS[1] cancelled:<notification>   KEYS[2...] sent:<delivery>, one per channel
-- ARGV[1] seconds to keep
-- Returns, per KEYS[2...], 1 if it is being sent or has ended | 0 if nobody may send it from now on.
--
-- One step, as claim.lua and inbox_append.lua are: whoever claims a delivery has either done so
-- before (and this says 1), or finds KEYS[1]. A delivery between two attempts is at rest: 0.
redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
local late = {}
for i = 2, #KEYS do
  local value = redis.call('GET', KEYS[i])
  late[i - 1] = (value and string.sub(value, 1, 1) ~= 'n') and 1 or 0
end
return late
