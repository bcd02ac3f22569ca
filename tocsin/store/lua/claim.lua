-- Claim deliveries for one sender.
-- KEYS sent:<delivery>   ARGV[1] owner   ARGV[2] seconds to keep   ARGV[i+2] attempt of KEYS[i]
-- Values: c:<attempt>:<owner> at work | n:<attempt>:<result> retry | r:<attempt>:<result> ended
-- Returns, per key: "f" yours and fresh | "a" yours, but another owner died with it | the n/r value.
local found = {}
for i, key in ipairs(KEYS) do
  local attempt = tonumber(ARGV[i + 2])
  local value = redis.call('GET', key)
  local answer = 'f'
  if value then
    local kind, held = string.match(value, '^(%a):(%d+):')
    if kind == 'r' or (kind == 'n' and tonumber(held) >= attempt) then
      answer = value
    elseif kind == 'c' then
      answer = 'a'
    end
  end
  if answer == 'f' or answer == 'a' then
    redis.call('SET', key, 'c:' .. attempt .. ':' .. ARGV[1], 'EX', ARGV[2])
  end
  found[i] = answer
end
return found
