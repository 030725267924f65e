-- One picture of one partition, taken in one step so that its numbers add up to the digit.
--
-- KEYS[1] ledger   KEYS[2] epoch   KEYS[3] the stream that ingest writes
-- KEYS[4..] the stream that each stage of ARGV reads, in the same order
-- Returns JSON.

local function flat(list)
  local map = {}
  for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
  return map
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local ledger = flat(redis.call('HGETALL', KEYS[1]))
local function in_ledger(field) return tonumber(ledger[field] or 0) end

-- The depth follows from what was ever added to the stream and what the stage has done, so it costs
-- the same for any number of entries. Redis's own `lag` would not do: it is nil after some
-- deletions, and too large after Redis has loaded its append-only file (there a read is logged
-- without the group's entries-read).
--
-- Entries that vanished (deleted, but not by trim.lua) are not depth: nobody will ever work on
-- them. They are missing in the audit then.
local function depth_of(stage, name, stream)
  local added, length = stream['entries-added'], stream.length
  local trimmed = tonumber(ledger['trimmed:' .. name] or added - length)
  local vanished = added - trimmed - length
  return added - in_ledger(stage .. ':base') - in_ledger(stage .. ':done') - vanished
end

local function oldest(key, group, unread)
  local id
  if group.pending > 0 then
    id = redis.call('XPENDING', key, group.name)[2]
  elseif unread > 0 then
    local after = '(' .. group['last-delivered-id']
    local first = redis.call('XRANGE', key, after, '+', 'COUNT', 1)[1]
    id = first and first[1]
  end
  return id and math.max(0, now - tonumber(id:match('^%d+'))) or 0
end

local function group_of(key, stage)
  for _, one in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local group = flat(one)
    if group.name == stage then return group end
  end
end

-- XINFO STREAM shows the first and the last entry, too: the only bodies that are read here.
local streams = {}
local function stream_of(key)
  if streams[key] == nil then
    local exists = redis.call('EXISTS', key) == 1
    streams[key] = exists and flat(redis.call('XINFO', 'STREAM', key)) or false
  end
  return streams[key]
end

local function status_of(stage, key)
  local status = {unread = 0, pending = 0, oldest = 0, consumers = 0}
  local stream = stream_of(key)
  if not stream then return status end
  status.unread = stream.length  -- all of it, unless the group is there
  local group = group_of(key, stage)
  if not group then return status end
  status.pending = group.pending
  status.unread = math.max(0, depth_of(stage, key:match(':stream:(.*)$'), stream) - group.pending)
  status.consumers = group.consumers
  status.oldest = oldest(key, group, status.unread)
  return status
end

local stages = {}
for i, stage in ipairs(ARGV) do stages[stage] = status_of(stage, KEYS[3 + i]) end

local source = stream_of(KEYS[3])
return cjson.encode({
  stages = stages,
  added = source and source['entries-added'] or 0,
  ledger = ledger,
  life = redis.call('GET', KEYS[2]) or '',
})
