-- One page of an inbox, newest first. After inbox_expiry.lua.
-- KEYS[1] inbox:{user}  [2] inbox:{user}:items  [3] inbox:{user}:meta  [4] inbox:{user}:expiry
-- ARGV[1] all | unread | read   ARGV[2] only offsets below this, '+inf' for the first page
-- ARGV[3] items per page   ARGV[4...] only these types; none: all
-- Returns {unread in all, 1 if there are more | 0, offset, 1 if unread | 0, item, ...}.
--
-- An item's type is its second field (actors/sockets/item.py), and a type needs no escapes: no text
-- inside the item can look like it, for its quotes would be escaped.
local answer = {swept(unpack(KEYS)), 0}
local left = tonumber(ARGV[3])
local below = ARGV[2] == '+inf' and ARGV[2] or '(' .. ARGV[2]
local types = {}
for i = 4, #ARGV do types[ARGV[i]] = true end

local function wanted(item)
  return item and item ~= '' and (#ARGV < 4 or types[string.match(item, '"type":"([^"]*)"')])
end

local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], below, '-inf', 'WITHSCORES')
for i = 1, #found, 2 do
  local score = tonumber(found[i + 1])
  local unread = score % 1 == 0
  if ARGV[1] == 'all' or (ARGV[1] == 'unread') == unread then
    local item = redis.call('HGET', KEYS[2], found[i])
    if wanted(item) then
      if left == 0 then
        answer[2] = 1
        break
      end
      left = left - 1
      answer[#answer + 1] = math.floor(score)
      answer[#answer + 1] = unread and 1 or 0
      answer[#answer + 1] = item
    end
  end
end
return answer
