-- Claim deliveries for one sender.
-- KEYS sent:<delivery> of each, then cancelled:<its notification> of each, then store:ready,
--   without which there is no telling what was sent or taken back: then it returns {}
-- ARGV[1] owner, <name>:<incarnation>   ARGV[2] seconds to keep
-- ARGV[3] lease (ms) of a claim against senders of another name   ARGV[i+3] attempt of the i-th
-- Values: c:<attempt>:<ms>:<owner> at work | n:<attempt>:<result> retry | r:<attempt>:<result> ended
-- Returns, of each: "f" yours and fresh | "o" yours since an earlier call | "a" yours now, but
-- another owner died with it | "b" a sender of another name is at work on it | "x" taken back, and
-- never sent | "y" taken back, but another owner died with it | the n/r value.
-- What was taken back is never claimed: see cancel.lua.
local function name(owner) return string.match(owner, '^(.*):[^:]*$') or owner end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
if redis.call('EXISTS', KEYS[#KEYS]) == 0 then return {} end
local count = (#KEYS - 1) / 2
-- nearly always nothing of a batch was taken back, and one call tells
local some_taken_back = count > 4000 or redis.call('EXISTS', unpack(KEYS, count + 1, 2 * count)) > 0
for i = 1, count do
  local key = KEYS[i]
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
    if some_taken_back and redis.call('EXISTS', KEYS[count + i]) == 1 then
      answer = answer == 'f' and 'x' or 'y'
    else
      local claim = string.format('c:%d:%.0f:%s', attempt, now, ARGV[1])
      redis.call('SET', key, claim, 'EX', ARGV[2])
    end
  end
  found[i] = answer
end
return found
