-- Write copies of another partition's keys, as long as nothing works in this one yet. Once it has
-- an epoch its marks are its own: they must not be replaced.
--
-- KEYS[1] epoch   KEYS[2..] the copies
-- ARGV            for each copy its time to live in milliseconds and what DUMP gave
-- Returns how many were written.

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local copies = #ARGV / 2  -- on a cluster KEYS has one more
for i = 1, copies do
  redis.call('RESTORE', KEYS[i + 1], ARGV[2 * i - 1], ARGV[2 * i], 'REPLACE')
end
return copies
