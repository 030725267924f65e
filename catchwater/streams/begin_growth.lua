-- Say in cw:meta that the partitions grow, to how many, and how many replicas are waited for.
--
-- KEYS[1] cw:meta
-- ARGV[1] how many there were   ARGV[2] how many there will be   ARGV[3] replicas
-- Returns 1, or 0 where they grow otherwise or have grown meanwhile.

local found = redis.call('HMGET', KEYS[1], 'partitions', 'growing')
if found[1] ~= ARGV[1] or (found[2] and found[2] ~= ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'growing', ARGV[2], 'wait_replicas', ARGV[3])
return 1
