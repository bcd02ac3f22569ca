-- Forget a template.
-- KEYS[1] {templates}   KEYS[2] {templates}:revisions   ARGV[1] id
-- Returns how many there were.
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
