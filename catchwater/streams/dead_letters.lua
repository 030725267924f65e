-- Replay a dead letter or drop it, once, even if several processes try.
--
-- KEYS[1] dead letters   KEYS[2] ledger   KEYS[3] the stream that its stage reads (to replay)
-- ARGV[1] the letter's id
-- ARGV[2] stage
-- ARGV[3] that stream's name (to replay)
-- ARGV[4..6] event id, head, body
-- Returns 1, or 0 when it is gone already.

local stage, name = ARGV[2], ARGV[3]
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], stage .. ':dead', -1)
if not name then
  redis.call('HINCRBY', KEYS[2], stage .. ':dropped:operator', 1)
  return 1
end
-- `for`: other stages that read the same stream have had the event before, and skip it.
redis.call('XADD', KEYS[3], '*', 'id', ARGV[4], 'head', ARGV[5], 'body', ARGV[6], 'for', stage)
redis.call('HINCRBY', KEYS[2], 'replayed:' .. name, 1)
return 1
