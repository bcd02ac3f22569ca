-- Note that a person is erased, if a rebuild is at work: it may have read of them before.
-- KEYS[1] store:rebuild  KEYS[2] store:erased   ARGV[1] user id
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('SADD', KEYS[2], ARGV[1]) end
return 1
