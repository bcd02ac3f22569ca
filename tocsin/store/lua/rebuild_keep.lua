-- Prolong the rebuild's lease.
-- KEYS[1] store:rebuild   ARGV[1] token   ARGV[2] milliseconds it runs
-- Returns 1, or 0 if it is lost: somebody emptied the store, or it ran out.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
