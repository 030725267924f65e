-- Say in cw:meta that the partitions have grown.
--
-- KEYS[1] cw:meta
-- ARGV[1] how many there were   ARGV[2] how many there are now   ARGV[3] the layout of their keys
-- Returns 1, or 0 where another one has said so, and they may have grown further since.

local found = redis.call('HMGET', KEYS[1], 'partitions', 'growing')
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'partitions', ARGV[2], 'layout', ARGV[3])
redis.call('HDEL', KEYS[1], 'growing')
return 1
