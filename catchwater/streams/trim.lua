-- Trim a stream behind its slowest group. What any declared group has not acknowledged stays.
--
-- The ledger counts what was trimmed. So whatever else deletes entries shows in the audit.
--
-- KEYS[1] the stream     KEYS[2] ledger
-- ARGV[1] the stream's name     ARGV[2..] the declared groups
-- Returns how many entries were deleted; 0 when a declared group is missing, as it may still have
-- to read everything.

local function less(a, b)
  local a_ms, a_seq = a:match('(%d+)-(%d+)')
  local b_ms, b_seq = b:match('(%d+)-(%d+)')
  if #a_ms ~= #b_ms then return #a_ms < #b_ms end
  if a_ms ~= b_ms then return a_ms < b_ms end
  if #a_seq ~= #b_seq then return #a_seq < #b_seq end
  return a_seq < b_seq
end

local function after(id)
  local ms, seq = id:match('(%d+)-(%d+)')
  return ms .. '-' .. string.format('%.0f', tonumber(seq) + 1)
end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local declared = {}
for i = 2, #ARGV do declared[ARGV[i]] = true end

local found, first_kept = 0, nil
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  if declared[group.name] then
    found = found + 1
    local first
    if group.pending > 0 then
      first = redis.call('XPENDING', KEYS[1], group.name)[2]
    else
      first = after(group['last-delivered-id'])
    end
    if not first_kept or less(first, first_kept) then first_kept = first end
  end
end
if found < #ARGV - 1 or not first_kept then return 0 end
-- `~` deletes whole nodes only: some finished entries stay for a while, but nothing is copied.
-- Above maxmemory the ledger can be written only after XTRIM: Redis refuses a script's first write.
local trimmed = redis.call('XTRIM', KEYS[1], 'MINID', '~', first_kept)
if trimmed > 0 then redis.call('HINCRBY', KEYS[2], 'trimmed:' .. ARGV[1], trimmed) end
return trimmed
