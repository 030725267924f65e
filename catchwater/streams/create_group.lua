-- Create a stage's group, with the stream where that is missing, and record where counting starts.
--
-- The group starts at 0: it reads what is in the stream already. `<stage>:base` is then so that
--     depth = entries added - base - done
-- and `trimmed:<stream>` is how many entries were trimmed: see trim.lua.
--
-- KEYS[1] the stream     KEYS[2] ledger
-- ARGV[1] stage          ARGV[2] the stream's name
-- Returns 1, or 0 when the group was there.

local stage, name = ARGV[1], ARGV[2]

local function flat(list)
  local map = {}
  for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
  return map
end

local function has_group()
  if redis.call('EXISTS', KEYS[1]) == 0 then return false end
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    if flat(group).name == stage then return true end
  end
  return false
end

local missing = not has_group()
if missing then redis.call('XGROUP', 'CREATE', KEYS[1], stage, '0', 'MKSTREAM') end
local stream = flat(redis.call('XINFO', 'STREAM', KEYS[1]))
local gone = stream['entries-added'] - stream.length
redis.call('HSETNX', KEYS[2], 'trimmed:' .. name, gone)
if not missing then
  redis.call('HSETNX', KEYS[2], stage .. ':base', 0)  -- created with its stream, by version 1.0
  return 0
end
local done = tonumber(redis.call('HGET', KEYS[2], stage .. ':done') or 0)
redis.call('HSET', KEYS[2], stage .. ':base', gone - done)
return 1
