-- From now on only processes commit in a partition that know so many: see commit.lua.
--
-- It is never lowered: whoever comes late must not shut out those who know more. It is written in
-- any case, as replicas can be waited for only after a write.
--
-- KEYS[1] the fence     ARGV[1] how many partitions there are
-- Returns how many it says.

local partitions = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', partitions))
return partitions
