-- Add counts of what ingest did not accept, once, however often it is sent.
--
-- KEYS[1] the counts     KEYS[2] the number that this sender sent last
-- ARGV[1] its number     ARGV[2] seconds that it is remembered     ARGV[3..] name, count, ...
-- Returns 1, or 0 when these were added before.

if tonumber(redis.call('GET', KEYS[2]) or 0) >= tonumber(ARGV[1]) then return 0 end
for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
return 1
