-- Take the rebuild's lease, if nobody has it.
-- KEYS[1] store:rebuild  KEYS[2] store:erased   ARGV[1] token   ARGV[2] milliseconds it runs
-- Returns 1 if taken. What a dead rebuild had noted is of no use any more.
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('DEL', KEYS[2])
return 1
