-- Store a profile if nobody changed it since it was read.
-- KEYS[1] user:<id>   ARGV[1] version it had when read (0: none)   ARGV[2] the new JSON
-- Returns 1 if stored, 0 if the version moved.
local now = redis.call('GET', KEYS[1])
local version = 0
if now then version = cjson.decode(now).version or 0 end
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
