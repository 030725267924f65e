-- The gated commit: acknowledge a batch of one partition and apply its answers, in one atomic step.
--
-- An answer is applied only if XACK of its entry returned 1. XACK returns 1 to exactly one caller.
-- So after a crash, a double claim or the late return of a consumer there is one winner.
--
-- KEYS[1] the stream that was read
-- KEYS[2] the stream to emit to (KEYS[1] again if there is none)
-- KEYS[3] dead letters                 KEYS[4] ledger
-- KEYS[5] epoch                        KEYS[6] how many partitions there are, once it was doubled
-- KEYS[7..] windows of marks, counters of issues, generations, sizes: see the plan
-- ARGV[1] the plan, JSON (made by catchwater/streams/commit.py)
-- ARGV[2] marks, 12 bytes each
-- ARGV[3..] heads and bodies of emitted events
--
-- The slots of a window of marks are keys that KEYS does not name: `<window>:<slot>`, of the same
-- partition.
--
-- Returns {won, stale, emitted, duplicate, dropped, dead, stored, skipped, moved}, counts of
-- entries (CommitTotals).

local plan = cjson.decode(ARGV[1])
local stage = plan.stage
local epoch = redis.call('GET', KEYS[5])
if not epoch then
  return redis.error_reply('NOEPOCH ' .. KEYS[5] .. ' is missing: create an epoch first')
end


-- Since then events belong elsewhere: a mark that a process sets here that does not know this would
-- be looked for where it is not.
local partitions = redis.call('GET', KEYS[6])
if partitions and tonumber(partitions) ~= plan.partitions then
  return redis.error_reply('GROWN to ' .. partitions .. ' partitions, and this process knows '
    .. plan.partitions .. ': set partitions: ' .. partitions
    .. ' in its streamdefs.yaml and start it again')
end

-- Below this, whole numbers are exact. Redis and cjson refuse some of the others, and that would
-- end the script. So it ends the entry that has one.
local TOO_LARGE = 2 ^ 53
local function whole(n, field, key)
  if type(n) ~= 'number' or n % 1 ~= 0 or math.abs(n) >= TOO_LARGE then
    error(field .. ' of ' .. key .. ' is no number to count with: ' .. tostring(n))
  end
  return n
end

local ledger = {}  -- field -> how many to add
local function add_to_ledger(outcome, n)
  local field = stage .. ':' .. outcome
  ledger[field] = (ledger[field] or 0) + (n or 1)
end

-- Marks -------------------------------------------------------------------------------------------

-- Redis packs a small hash into as few bytes as it has. So a window of marks is many small hashes,
-- its slots: the first 3 bytes of a mark choose the slot, the other 9 are its field there. A window
-- begins with as many slots as the fullest window near it needs. When they are full it gets a
-- further layer of slots, of four times as many; marks stay in the layer that they were put in.
local MARKS_PER_SLOT, LEAST_SLOTS, GROWTH = 96, 64, 4

local windows = {}  -- window's key -> its layers (numbers of slots) and marks; false: there is none
local function window_at(key)
  if windows[key] ~= nil then return windows[key] end
  local found = redis.call('HMGET', key, 'slots', 'marks')
  local marks = tonumber(found[2] or 0)
  windows[key] = found[1] and {key = key, layers = cjson.decode(found[1]), marks = marks}
  return windows[key]
end

local function add_layer(window, size)
  table.insert(window.layers, size)
  redis.call('HSET', window.key, 'slots', cjson.encode(window.layers))
end

local function slots_needed(row)
  local most = 0
  for _, k in ipairs(row.near) do
    local window = window_at(KEYS[k])
    if window then most = math.max(most, window.marks) end
  end
  return math.max(LEAST_SLOTS, math.ceil(most / MARKS_PER_SLOT))
end

-- The window that new marks go to, with a layer that has room.
local function own_window(row)
  local key = KEYS[row.own]
  local window = window_at(key)
  if not window then
    window = {key = key, layers = {}, marks = 0}
    add_layer(window, slots_needed(row))
    windows[key] = window
  end
  local room = 0
  for _, size in ipairs(window.layers) do room = room + size * MARKS_PER_SLOT end
  if window.marks >= room then add_layer(window, window.layers[#window.layers] * GROWTH) end
  return window
end

local function slot_of(window, layer, mark)
  local a, b, c = string.byte(mark, 1, 3)
  local slot = (a * 65536 + b * 256 + c) % window.layers[layer]
  return window.key .. ':' .. layer .. ':' .. slot
end

local function has_mark(window, mark)
  for layer = 1, #window.layers do
    local slot = slot_of(window, layer, mark)
    if redis.call('HEXISTS', slot, string.sub(mark, 4)) == 1 then return true end
  end
  return false
end

local new_marks = {}  -- window's key -> how many this commit added

-- A mark was met if it is in its own window or in a neighbouring one, earlier or later: entries are
-- not committed in order.
local function met(number, w)
  local mark = string.sub(ARGV[2], number * 12 - 11, number * 12)
  local row = plan.windows[w]
  for _, k in ipairs(row.near) do
    local window = window_at(KEYS[k])
    if window and has_mark(window, mark) then return true end
  end
  local own = own_window(row)
  local slot = slot_of(own, #own.layers, mark)
  redis.call('HSET', slot, string.sub(mark, 4), '')
  redis.call('EXPIRE', slot, plan.once_ttl)
  own.marks = own.marks + 1
  new_marks[own.key] = (new_marks[own.key] or 0) + 1
  return false
end

local function keep_windows()
  for key, n in pairs(new_marks) do
    redis.call('HINCRBY', key, 'marks', n)
    redis.call('EXPIRE', key, plan.once_ttl)
  end
end

-- Tallies -----------------------------------------------------------------------------------------

-- Values leave Redis as "N so far" of a named part, never as "+1". Counters that had expired start
-- a new part: under the old name their small values would be ignored, because the sink keeps the
-- larger ones ($max). And counters that a fall-back of Redis has undone must start under the name
-- that they had, in whatever order issues are counted then: under another the same events would be
-- there twice. So all counters of a bucket share a generation for as long as it takes until the
-- first of them may have expired: its key expires before any of them.
-- The key holds the generation and the second in which it began. Is that in the future, then the
-- clock was set back, and the key would outlive counters that begin now.
local now_s = tonumber(redis.call('TIME')[1])

local function generation_of(bucket)
  local found = redis.call('GET', KEYS[bucket.generation]) or ''
  local generation, began = string.match(found, '(%d+) (%d+)')
  if generation and tonumber(began) <= now_s then return generation end
  generation = redis.call('HINCRBY', KEYS[bucket.generations], bucket.bucket, 1)
  redis.call('EXPIRE', KEYS[bucket.generations], bucket.generations_ttl)
  redis.call('SET', KEYS[bucket.generation], generation .. ' ' .. now_s, 'EX', bucket.ttl)
  return generation
end

-- Counters live for at least `ttl` seconds after their last change. To set that at each change
-- would cost as much as the counting, so they get `slack` more, and again when that is used up.
-- `_part` holds the generation and the second at which they expire.
local function keep(key, bucket, generation)
  redis.call('HSET', key, '_part', generation .. ' ' .. (now_s + bucket.ttl + bucket.slack))
  redis.call('EXPIRE', key, bucket.ttl + bucket.slack)
  if bucket.sizes then redis.call('EXPIRE', KEYS[bucket.sizes], bucket.ttl + 2 * bucket.slack) end
end

local function number_of(found, field, key)
  if not found then return false end
  return whole(string.match(found, '^%-?%d+$') and tonumber(found) or found, field, key)
end

-- Read with the first event, so that what is none ends each event before any of it is counted.
local USUAL = {'events', 'more', 'samples', 'names'}

local counters = {}  -- number in the plan -> key, generation, and numbers: read, changed, to tell
local function counters_at(c)
  if counters[c] then return counters[c] end
  local row = plan.counters[c]
  local key, bucket = KEYS[row.key], plan.buckets[row.bucket]
  local found = redis.call('HMGET', key, '_part', unpack(USUAL))
  local numbers = {}
  for i, field in ipairs(USUAL) do numbers[field] = number_of(found[i + 1], field, key) end
  local generation, expires = string.match(found[1] or '', '(%d+) (%d+)')
  generation = generation or generation_of(bucket)
  if tonumber(expires or 0) - now_s < bucket.ttl then keep(key, bucket, generation) end
  counters[c] = {
    key = key, bucket = bucket, generation = tostring(generation),
    numbers = numbers, changed = {}, values = {},
  }
  return counters[c]
end

-- A number is read when it is first asked for, and written once for all events of the batch, by
-- write_counters. So no two counters of the plan may have the same key. Returns false where there
-- is none yet.
local function number_at(at, field)
  if at.numbers[field] == nil then
    at.numbers[field] = number_of(redis.call('HGET', at.key, field), field, at.key)
  end
  return at.numbers[field]
end

-- `name` is the field that the sink is told of; none: it is not told.
local function add(at, field, n, name)
  local sum = whole((number_at(at, field) or 0) + n, field, at.key)
  at.numbers[field], at.changed[field] = sum, sum
  if name then at.values[name] = sum end
end

local function write_counters()
  for _, at in pairs(counters) do
    local flat = {}
    for field, n in pairs(at.changed) do
      table.insert(flat, field)
      table.insert(flat, string.format('%.0f', n))
    end
    if #flat > 0 then redis.call('HSET', at.key, unpack(flat)) end
  end
end

-- How much a project has in a month is bounded, for each partition. Returns false, and adds
-- nothing, when it has all that it may have.
local function grow(bucket, what, most)
  local key, field = KEYS[bucket.sizes], what .. ':' .. bucket.project
  if tonumber(redis.call('HGET', key, field) or 0) >= most then return false end
  redis.call('HINCRBY', key, field, 1)
  redis.call('EXPIRE', key, bucket.ttl + 2 * bucket.slack)
  return true
end

-- Whether the event is counted under its own issue. An issue too many is counted under the one
-- issue `other` of its project.
local function has_room(tally)
  if counters[tally.month] then return true end
  local row = plan.counters[tally.month]
  return not row.other or redis.call('EXISTS', KEYS[row.key]) == 1
    or grow(plan.buckets[row.bucket], 'issues', plan.issues_most)
end

-- The names of tags and the distinct values of each are limited, for each issue and month, and so
-- are all values of a project. Everything beyond is counted under `other`, and adds no field of its
-- own. Returns the tag's field in Redis and its text.
local function tag_of(at, tag)
  local field, text, name = tag.field, tag.text, tag.name
  if number_at(at, field) then return field, text end
  local distinct = 'distinct\t' .. tag.short_name
  local values = number_at(at, distinct) or 0
  local other = tag.short_name .. '\t' .. plan.other
  if values >= plan.tag_values then return 'tag\t' .. other, name .. '\t' .. plan.other end
  local nameless = plan.other .. '\t' .. plan.other
  if values == 0 then
    local names = number_at(at, 'names') or 0
    if names >= plan.tag_names then return 'tag\t' .. nameless, nameless end
  end
  if not grow(at.bucket, 'values', plan.values_most) then return 'tag\t' .. nameless, nameless end
  if values == 0 then add(at, 'names', 1) end
  add(at, distinct, 1)
  return field, text
end

local issues = {}
local function update_issue(tally, row)
  local issue = issues[row.issue]
    or {first = tally.at, last = tally.at, about = row.about, users = {}, names = {}}
  issue.first = math.min(issue.first, tally.at)
  issue.last = math.max(issue.last, tally.at)
  for _, name in ipairs(row.other and tally.names or {}) do issue.names[name] = 1 end
  if tally.register then
    issue.users[tally.register] = math.max(issue.users[tally.register] or 0, tally.rank)
  end
  issues[row.issue] = issue
end

local function count_at(c, tally, issue)
  local at = counters_at(c)
  if tally.n > 1 then add(at, 'more', tally.n - 1, plan.fields.more .. issue.issue) end
  add(at, 'events', 1, plan.fields.events .. issue.issue)
end

-- Samples are bounded by how many there are, not by how many events came before. The few events
-- that have bodies may be counted late: whoever had them first was killed, and others went by.
local function take_sample(hour, month)
  local wanted = (number_at(month, 'samples') or 0) < plan.first_samples
    or (number_at(hour, 'samples') or 0) < plan.hourly_samples
  if not wanted then return false end
  add(hour, 'samples', 1)
  add(month, 'samples', 1)
  return true
end

-- What is added to later: an error ends the entry before any of it is counted.
local function read_all(tally, hour, month, tags)
  whole(tally.n, 'n', 'the event')
  counters_at(hour)
  local at = counters_at(month)
  for _, number in ipairs(tags) do
    local tag = plan.tags[number]
    if not number_at(at, tag.field) then number_at(at, 'distinct\t' .. tag.short_name) end
  end
end

-- Returns true when the event is a sample, which goes on whole. One without a body is none.
local function count(tally)
  local hour, month, issue = tally.hour, tally.month, plan.issues[tally.issue]
  local known = has_room(tally)
  if not known then
    hour, month = plan.counters[hour].other, plan.counters[month].other
    issue = plan.issues[issue.other]
  end
  read_all(tally, hour, month, known and tally.tags or {})
  update_issue(tally, issue)
  count_at(hour, tally, issue)
  count_at(month, tally, issue)
  local bucket = counters[month].bucket.bucket
  if tally.n > 1 then add_to_ledger('more:' .. bucket, tally.n - 1) end
  add_to_ledger('counted:' .. bucket)
  if not known then return false end
  local named = plan.fields.tag .. issue.issue .. plan.fields['then']
  for _, number in ipairs(tally.tags) do
    local field, text = tag_of(counters[month], plan.tags[number])
    add(counters[month], field, tally.n, named .. text)
  end
  return tally.whole and take_sample(counters[hour], counters[month])
end

local function send_tally()
  local buckets = {}
  for _, at in pairs(counters) do
    table.insert(buckets, {name = at.bucket.bucket, generation = at.generation, values = at.values})
  end
  if #buckets == 0 then return end
  local body = {tag = plan.tag, life = epoch, buckets = buckets, issues = issues}
  redis.call('XADD', KEYS[2], '*', 'id', '-', 'head', plan.tally_head, 'body', cjson.encode(body))
end

-- Outcomes ----------------------------------------------------------------------------------------

local totals = {
  emitted = 0, duplicate = 0, dropped = 0, dead = 0, stored = 0, skipped = 0, moved = 0,
}
local function outcome(name, detail)
  totals[name] = totals[name] + 1
  add_to_ledger(detail and (name .. ':' .. detail) or name)
end

-- Returns the event in an entry, as flat fields. The field `for` (see dead_letters.lua) belongs to
-- the entry and is left out.
local function fields_of(id)
  local found = redis.call('XRANGE', KEYS[1], id, id)
  local map = {}
  local flat = found[1] and found[1][2] or {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return {'id', map.id or '-', 'head', map.head or '', 'body', map.body or ''}
end

local apply = {}

function apply.emit(entry)
  if entry.mark and met(entry.mark, entry.window) then return outcome('duplicate') end
  local goes_on = not entry.tally or count(entry.tally)
  outcome('emitted')
  if not goes_on then return end
  if entry.at then
    local head, body = ARGV[entry.at], ARGV[entry.at + 1]
    redis.call('XADD', KEYS[2], '*', 'id', entry.event, 'head', head, 'body', body)
  else
    redis.call('XADD', KEYS[2], '*', unpack(fields_of(entry.id)))
  end
end

function apply.store()
  outcome('stored')
end

function apply.move()
  outcome('moved')
end

-- The event was replayed for another stage that reads the same stream. This stage had it before
-- and counted it then.
function apply.skip()
  totals.skipped = totals.skipped + 1
end

function apply.drop(entry)
  if entry.mark and met(entry.mark, entry.window) then return outcome('duplicate') end
  outcome('dropped', entry.why)
  for reason, n in pairs(entry.client_reports or {}) do add_to_ledger('lost:' .. reason, n) end
end

function apply.reject(entry)
  outcome('dead')
  redis.call('XADD', KEYS[3], '*', 'stage', stage, 'why', entry.why, 'tries', entry.tries,
    'entry', entry.id, unpack(fields_of(entry.id)))
end

local won, stale = 0, 0
for _, entry in ipairs(plan.entries) do
  if redis.call('XACK', KEYS[1], stage, entry.id) == 1 then
    won = won + 1
    -- Redis does not undo what a script did that ends by an error. So an error of one entry must
    -- not end it: acknowledged entries would be lost.
    local done, why = pcall(apply[entry.act], entry)
    if not done then
      why = type(why) == 'table' and why.err or why
      apply.reject({id = entry.id, why = 'its commit failed: ' .. tostring(why), tries = 1})
    end
  else
    stale = stale + 1
  end
end

write_counters()
send_tally()
keep_windows()
if won > 0 then add_to_ledger('done', won) end
if stale > 0 then add_to_ledger('stale', stale) end
for field, n in pairs(ledger) do
  redis.call('HINCRBY', KEYS[4], field, string.format('%.0f', n))
end
return {won, stale, totals.emitted, totals.duplicate, totals.dropped, totals.dead, totals.stored,
  totals.skipped, totals.moved}
