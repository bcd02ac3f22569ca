-- To which message each of some sales is owed; a reference is settled once.
-- KEYS in twos, per sale: clicked:<user>, converted:<reference> ('' if it has none)
-- ARGV[1] how long before a sale a click counts (ms), ARGV[2] seconds a reference is remembered,
-- then in twos, per sale: when it was (ms); the message it is said to be owed to, or '' for the one
-- whose link the person followed last
-- Returns, per sale, the message as JSON, or false
local window, remember = tonumber(ARGV[1]), ARGV[2]
local owed = {}
for i = 1, #KEYS / 2 do
  local clicked, settled = KEYS[2*i - 1], KEYS[2*i]
  local at, found = tonumber(ARGV[2*i + 1]), ARGV[2*i + 2]
  local before = settled ~= '' and redis.call('GET', settled)
  if before then
    found = before
  else
    if found == '' then
      local when, message = string.match(redis.call('GET', clicked) or '', '^(%d+) (.*)$')
      local age = at - (tonumber(when) or math.huge)
      found = age >= 0 and age <= window and message
    end
    if found and settled ~= '' then
      redis.call('SET', settled, found, 'EX', remember)
    end
  end
  owed[i] = found
end
return owed
