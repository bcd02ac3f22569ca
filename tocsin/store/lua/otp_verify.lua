-- Check a code, count the check, and consume it: one step, so that no two checks see it whole.
-- KEYS[1] otp:{account}:<purpose>  KEYS[2] ...:sends  KEYS[3] otp:{account}:failures
-- ARGV[1] challenge id  [2] MAC of what was typed  [3] checks per code  [4] failures that lock
-- Returns 'verified' | 'wrong' (also: used, over, replaced, never was) | 'exhausted' | 'locked'
local function same(a, b)
  if #a ~= #b then return false end
  local differ = 0
  for i = 1, #a do differ = bit.bor(differ, bit.bxor(a:byte(i), b:byte(i))) end
  return differ == 0
end

if tonumber(redis.call('GET', KEYS[3]) or 0) >= tonumber(ARGV[4]) then return 'locked' end
local code = redis.call('HMGET', KEYS[1], 'id', 'mac')
if code[1] ~= ARGV[1] then return 'wrong' end

if same(code[2], ARGV[2]) then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  return 'verified'
end
local failures = redis.call('INCR', KEYS[3])
local checks = redis.call('HINCRBY', KEYS[1], 'checks', 1)
if failures >= tonumber(ARGV[4]) then
  redis.call('DEL', KEYS[1])
  return 'locked'
end
if checks >= tonumber(ARGV[3]) then
  redis.call('DEL', KEYS[1])
  return 'exhausted'
end
return 'wrong'
