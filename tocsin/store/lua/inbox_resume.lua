-- Where an inbox stands, and what came after a position in it. After inbox_expiry.lua.
-- KEYS[1] inbox:{user}  [2] inbox:{user}:items  [3] inbox:{user}:meta  [4] inbox:{user}:expiry
-- ARGV[1] epoch for an inbox made now   ARGV[2] seconds to keep it
-- ARGV[3] the asker's epoch, '' if it asks for no items   ARGV[4] the asker's offset
-- Returns {epoch, offset, unread, 1 if nothing is missing | 0, offset, item, offset, item ...}.
--
-- Makes the epoch of an inbox that is not there yet, so that its first item continues from what
-- the asker was told. Missing: another epoch, an offset never given, or items dropped since.
if redis.call('HSETNX', KEYS[3], 'epoch', ARGV[1]) == 1 then
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
local unread = swept(unpack(KEYS))
local meta = redis.call('HMGET', KEYS[3], 'epoch', 'next', 'floor')
local newest, floor = tonumber(meta[2] or 0), tonumber(meta[3] or 0)
local answer = {meta[1], newest, unread, 0}
local asked = tonumber(ARGV[4])
if ARGV[3] ~= meta[1] or asked > newest or asked < floor then return answer end
answer[4] = 1
if asked == newest then return answer end
local after = redis.call('ZRANGEBYSCORE', KEYS[1], asked + 1, '+inf', 'WITHSCORES')
for i = 1, #after, 2 do
  local item = redis.call('HGET', KEYS[2], after[i])
  if item and item ~= '' then
    local score = tonumber(after[i + 1])
    -- what was read elsewhere meanwhile is no news: nobody shall be rung for it
    if score % 1 ~= 0 then item = '{"read":true,' .. string.sub(item, 2) end
    answer[#answer + 1] = math.floor(score)
    answer[#answer + 1] = item
  end
end
return answer
