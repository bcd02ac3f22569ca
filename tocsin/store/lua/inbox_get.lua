-- One item. After inbox_expiry.lua.
-- KEYS[1] inbox:{user}  [2] inbox:{user}:items  [3] inbox:{user}:meta  [4] inbox:{user}:expiry
-- ARGV[1] the notification id
-- Returns {offset, 1 if unread | 0, item}, or {} if it is not there.
swept(unpack(KEYS))
local item = redis.call('HGET', KEYS[2], ARGV[1])
if not item or item == '' then return {} end
local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
return {math.floor(score), score % 1 == 0 and 1 or 0, item}
