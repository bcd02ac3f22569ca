-- Record what attempts came to.
-- KEYS sent:<delivery>   ARGV[1] seconds to keep   ARGV[i+1] value of KEYS[i] (see claim.lua)
for i, key in ipairs(KEYS) do
  redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1])
end
return #KEYS
