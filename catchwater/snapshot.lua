-- One picture of one partition, taken in one step so that its numbers add up to the digit.
--
-- KEYS[1] ledger   KEYS[2] life   KEYS[3] dead letters   KEYS[4] the stream that ingest writes
-- KEYS[5..] the stream that each stage of ARGV reads, in the same order
-- Answers JSON.

local function flat(list)
  local map = {}
  for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
  return map
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Counted, not asked for: Redis's `lag` is nil after some deletions, and too large after it has loaded its
-- append-only file (there a read is logged without the group's entries-read); only a 0 is always right. Counted
-- from both ends in turn, so it costs what the shorter one holds: nearly all is read, or nearly nothing.
local PAGE = 200
local function unread(stream, group)
  local last = group['last-delivered-id']
  local ahead, behind, from, front = 0, 0, '(' .. last, '-'
  while true do
    local some = redis.call('XRANGE', stream, from, '+', 'COUNT', PAGE)
    ahead = ahead + #some
    if #some < PAGE then return ahead end
    from = '(' .. some[#some][1]
    some = redis.call('XRANGE', stream, front, last, 'COUNT', PAGE)
    behind = behind + #some
    if #some < PAGE then return redis.call('XLEN', stream) - behind end
    front = '(' .. some[#some][1]
  end
end

local function oldest(stream, group, waiting)
  local id
  if group.pending > 0 then
    id = redis.call('XPENDING', stream, group.name)[2]
  elseif waiting > 0 then
    local first = redis.call('XRANGE', stream, '(' .. group['last-delivered-id'], '+', 'COUNT', 1)[1]
    id = first and first[1]
  end
  return id and math.max(0, now - tonumber(id:match('^%d+'))) or 0
end

local stages = {}
for i, name in ipairs(ARGV) do
  local stream = KEYS[4 + i]
  local status = {unread = 0, pending = 0, oldest = 0, consumers = 0}
  if redis.call('EXISTS', stream) == 1 then
    status.unread = redis.call('XLEN', stream)  -- all of it, unless the group is there
    for _, one in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local group = flat(one)
      if group.name == name then
        status.unread = unread(stream, group)
        status.pending = group.pending
        status.consumers = group.consumers
        status.oldest = oldest(stream, group, status.unread)
      end
    end
  end
  stages[name] = status
end

local added = 0
if redis.call('EXISTS', KEYS[4]) == 1 then added = flat(redis.call('XINFO', 'STREAM', KEYS[4]))['entries-added'] end
return cjson.encode({
  stages = stages,
  added = added,
  ledger = flat(redis.call('HGETALL', KEYS[1])),
  life = redis.call('GET', KEYS[2]) or '',
  dead = redis.call('XLEN', KEYS[3]),
})
