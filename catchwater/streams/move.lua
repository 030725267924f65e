-- Add entries of another partition to the stream of the one that their ids belong to.
--
-- `for`: other stages that read the same stream have had the event where it was, and skip it. The
-- ledger counts what came so, as it was not accepted here.
--
-- KEYS[1] the stream     KEYS[2] ledger
-- ARGV[1] stage          ARGV[2..] event id, head and body of each
-- Returns how many were added.

local stage, moved = ARGV[1], (#ARGV - 1) / 3
-- Above maxmemory a script may add something only after a write that needs no memory. What is added
-- here lets the same be trimmed there.
redis.call('XACK', KEYS[1], stage, '0-0')
for i = 2, #ARGV, 3 do
  local head, body = ARGV[i + 1], ARGV[i + 2]
  redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'head', head, 'body', body, 'for', stage)
end
redis.call('HINCRBY', KEYS[2], stage .. ':arrived', moved)
return moved
