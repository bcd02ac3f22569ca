-- Take a broadcast back: its next page does not begin.
-- KEYS[1] broadcast:<id>  [2] cancelled:<id>
-- ARGV[1] now (ms)  [2] seconds to keep the broadcast  [3] seconds to keep that it is cancelled
-- Returns 1 if it was still waiting or running. One that is done stays so: what of it is not sent yet
-- is stopped by the key.
redis.call('SET', KEYS[2], '1', 'EX', ARGV[3])
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'waiting' and state ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'cancelled', 'ended_at', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
