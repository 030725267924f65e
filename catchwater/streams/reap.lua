-- Delete the consumers of a group that have been silent for long and hold nothing.
--
-- A killed process leaves its consumer behind. XGROUP DELCONSUMER would destroy pending entries, so
-- one that has any stays: they are claimed by others first. A consumer that is alive after all is
-- created again by its next read.
--
-- KEYS[1] the stream     ARGV[1] group     ARGV[2] milliseconds of silence
-- Returns how many were deleted.

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local reaped = 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #flat, 2 do consumer[flat[i]] = flat[i + 1] end
  if consumer.pending == 0 and consumer.idle >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    reaped = reaped + 1
  end
end
return reaped
