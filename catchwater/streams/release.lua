-- A consumer leaves. Its pending entries go to the consumer `~released` as if idle for a day, so
-- that the next claim finds them at once. This does not count as a delivery. The consumer is
-- deleted only after that: XGROUP DELCONSUMER would destroy its pending entries.
--
-- KEYS[1] the stream     ARGV[1] group     ARGV[2] consumer
-- Returns how many entries were handed over.

local group, consumer = ARGV[1], ARGV[2]
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local handed = 0
while true do
  local rows = redis.call('XPENDING', KEYS[1], group, '-', '+', 500, consumer)
  if #rows == 0 then break end
  local ids = {}
  for i, row in ipairs(rows) do ids[i] = row[1] end
  redis.call('XCLAIM', KEYS[1], group, '~released', 0, unpack(ids), 'IDLE', 86400000, 'JUSTID')
  handed = handed + #ids
end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, consumer)
return handed
