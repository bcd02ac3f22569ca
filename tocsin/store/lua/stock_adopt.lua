-- Make what a rebuild worked out the stock of its SKU.
-- KEYS[1] store:rebuild  KEYS[2] store:ready
-- KEYS in fours from the third: the shadow's stock, its events, stock:{sku}, stock:{sku}:events
-- ARGV[1] the rebuild's token
-- Returns how many were adopted, or -1 and none if the rebuild's lease is lost.
--
-- What is there stays, unless the store was emptied and an earlier rebuild put it there: the log
-- may not reach back as far as the stock that lived through everything.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local emptied = redis.call('EXISTS', KEYS[2]) == 0
local adopted = 0
for k = 3, #KEYS, 4 do
  local there = redis.call('EXISTS', KEYS[k + 2]) == 1
  if not there or (emptied and redis.call('HEXISTS', KEYS[k + 2], 'restored') == 1) then
    redis.call('HSET', KEYS[k], 'restored', 1)
    redis.call('RENAME', KEYS[k], KEYS[k + 2])
    redis.call('RENAME', KEYS[k + 1], KEYS[k + 3])
    adopted = adopted + 1
  else
    redis.call('DEL', KEYS[k], KEYS[k + 1])
  end
end
return adopted
