-- Take back a code that never left the house, so that asking again meets no cool-down.
-- KEYS[1] otp:{account}:<purpose>  KEYS[2] ...:sends   ARGV[1] challenge id
-- Returns 1 if it was still the live one.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('LPOP', KEYS[2])
return 1
