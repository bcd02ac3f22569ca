-- Give the rebuild's lease back, and say that the view is whole if it is.
-- KEYS[1] store:rebuild  KEYS[2] store:erased  KEYS[3] store:ready
-- ARGV[1] token   ARGV[2] since when the view is whole, '' if it is not
-- Returns 1, or 0 if the lease is lost: then nothing is touched.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
if ARGV[2] ~= '' then redis.call('SET', KEYS[3], ARGV[2]) end
return 1
