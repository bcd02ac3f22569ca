-- Put subscriptions into the queues of their SKUs, each unless its id is known.
-- KEYS in threes: sub:<id>  subs:<id>  waiting:{sku}
-- ARGV in threes: id, JSON, sign-up time (ms)
-- Returns, per subscription, 1 if it is new, 0 if there was one of that id, in whatever state: one
-- that has fired must not get back into the queue, not even for a moment.
local added = {}
for i = 1, #KEYS, 3 do
  local new = redis.call('SET', KEYS[i], ARGV[i + 1], 'NX')
  if new then
    redis.call('SADD', KEYS[i + 1], ARGV[i])
    redis.call('ZADD', KEYS[i + 2], ARGV[i + 2], ARGV[i])
  end
  added[#added + 1] = new and 1 or 0
end
return added
