-- Note that these are there.
-- KEYS chosen:<notification>   ARGV[1] seconds to remember
for _, key in ipairs(KEYS) do redis.call('SET', key, '1', 'EX', ARGV[1]) end
return #KEYS
