-- Lengthen the lease of what was taken and is on its way.
-- KEYS[1] {schedule}:leased:<lane>   ARGV[1] ms   ARGV[2...] members
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[i]) end
return #ARGV - 1
