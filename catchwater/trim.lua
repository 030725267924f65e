-- Trim a stream behind its slowest group: what any declared group has not acknowledged stays.
--
-- KEYS[1] the stream     ARGV the declared groups
-- Answers how many entries went; 0 when a declared group is missing (it may still have to read everything).

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
for _, group in ipairs(ARGV) do declared[group] = true end

local found, keep = 0, nil
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
    if not keep or less(first, keep) then keep = first end
  end
end
if found < #ARGV or not keep then return 0 end
-- Whole nodes only: a few finished entries may stay, and no time is spent on copying.
return redis.call('XTRIM', KEYS[1], 'MINID', '~', keep)
