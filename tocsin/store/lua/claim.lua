-- Claim deliveries for one sender.
-- KEYS in pairs: sent:<delivery>  cancelled:<its notification>
-- ARGV[1] owner, <name>:<incarnation>   ARGV[2] seconds to keep
-- ARGV[3] lease (ms) of a claim against senders of another name   ARGV[i+3] attempt of the i-th pair
-- Values: c:<attempt>:<ms>:<owner> at work | n:<attempt>:<result> retry | r:<attempt>:<result> ended
-- Returns, per pair: "f" yours and fresh | "o" yours since an earlier call | "a" yours now, but
-- another owner died with it | "b" a sender of another name is at work on it | "x" taken back, and
-- never sent | "y" taken back, but another owner died with it | the n/r value.
-- What was taken back is never claimed: see cancel.lua.
local function name(owner) return string.match(owner, '^(.*):[^:]*$') or owner end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for i = 1, #KEYS / 2 do
  local key = KEYS[2 * i - 1]
  local attempt = tonumber(ARGV[i + 3])
  local value = redis.call('GET', key)
  local answer = 'f'
  if value then
    local kind, held = string.match(value, '^(%a):(%d+):')
    if kind == 'r' or (kind == 'n' and tonumber(held) >= attempt) then
      answer = value
    elseif kind == 'c' then
      local at, owner = string.match(value, '^c:%d+:(%d+):(.*)$')
      if owner == ARGV[1] then
        answer = 'o'
      elseif name(owner) ~= name(ARGV[1]) and now - at < tonumber(ARGV[3]) then
        answer = 'b'
      else
        answer = 'a'
      end
    end
  end
  if answer == 'f' or answer == 'a' then
    if redis.call('EXISTS', KEYS[2 * i]) == 1 then
      answer = answer == 'f' and 'x' or 'y'
    else
      local claim = string.format('c:%d:%.0f:%s', attempt, now, ARGV[1])
      redis.call('SET', key, claim, 'EX', ARGV[2])
    end
  end
  found[i] = answer
end
return found
