-- Record what attempts came to.
-- KEYS sent:<delivery>   ARGV[1] seconds to keep   ARGV[i+1] value of KEYS[i] (see claim.lua), or
-- '' to give the claim back: nothing was tried
for i, key in ipairs(KEYS) do
  if ARGV[i + 1] == '' then
    redis.call('DEL', key)
  else
    redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1])
  end
end
return #KEYS
