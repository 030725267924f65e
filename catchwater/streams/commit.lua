-- The gated commit: acknowledge a batch of one partition and apply its answers, in one atomic step.
--
-- An answer is applied only if XACK of its entry returned 1. XACK returns 1 to exactly one caller.
-- So after a crash, a double claim or the late return of a consumer there is one winner.
--
-- KEYS[1] the stream that was read
-- KEYS[2] the stream to emit to (KEYS[1] again if there is none)
-- KEYS[3] dead letters                 KEYS[4] ledger
-- KEYS[5] epoch
-- KEYS[6..] windows of marks, tally buckets, generations: see the plan
-- ARGV[1] the plan, JSON (made by catchwater/streams/commit.py)
-- ARGV[2..] heads and bodies of emitted events
--
-- Returns {won, stale, emitted, duplicate, dropped, dead, stored, skipped}, counts of entries
-- (CommitTotals).

local plan = cjson.decode(ARGV[1])
local stage = plan.stage
local epoch = redis.call('GET', KEYS[5])
if not epoch then
  return redis.error_reply('NOEPOCH ' .. KEYS[5] .. ' is missing: create an epoch first')
end

local ledger = {}  -- field -> how many to add
local function add_to_ledger(outcome, n)
  local field = stage .. ':' .. outcome
  ledger[field] = (ledger[field] or 0) + (n or 1)
end

-- Marks -------------------------------------------------------------------------------------------

-- A mark was met if it is in its own window or in a neighbouring one, earlier or later: entries are
-- not committed in order. Which windows exist is looked up once for the whole batch.
for _, window in ipairs(plan.windows) do
  window.existing, window.is_near = {}, {}
  for _, k in ipairs(window.near) do
    local key = KEYS[k]
    window.is_near[key] = true
    if redis.call('EXISTS', key) == 1 then table.insert(window.existing, key) end
  end
end
local written = {}  -- windows that this commit wrote to: they exist for the entries that follow

local function met(mark, w)
  local window = plan.windows[w]
  local own = KEYS[window.own]
  for _, key in ipairs(window.existing) do
    if key ~= own and redis.call('SISMEMBER', key, mark) == 1 then return true end
  end
  for key in pairs(written) do
    local near = key ~= own and window.is_near[key]
    if near and redis.call('SISMEMBER', key, mark) == 1 then return true end
  end
  if redis.call('SADD', own, mark) == 0 then return true end
  written[own] = true
  return false
end

-- Tallies -----------------------------------------------------------------------------------------

-- A bucket's values leave Redis as "N so far" of a named part, never as "+1". A bucket whose hash
-- had expired starts a new part: under the old name its small values would be ignored, because the
-- sink keeps the larger ones ($max).
local parts = {}
local function part(b)
  if not parts[b] then
    local bucket = plan.buckets[b]
    local generation = redis.call('HGET', KEYS[bucket.key], '_part')
    if not generation then
      generation = redis.call('HINCRBY', KEYS[bucket.generations], bucket.name, 1)
      redis.call('HSET', KEYS[bucket.key], '_part', generation)
      redis.call('EXPIRE', KEYS[bucket.generations], bucket.generations_ttl)
    end
    redis.call('EXPIRE', KEYS[bucket.key], bucket.ttl)
    parts[b] = tostring(generation)
  end
  return parts[b]
end

local changed = {}  -- bucket -> field -> N so far
local function add(b, field, n)
  part(b)
  local value = redis.call('HINCRBY', KEYS[plan.buckets[b].key], field, n)
  changed[b] = changed[b] or {}
  changed[b][field] = value
  return value
end

-- The names of tags and the distinct values of each are limited, per issue and bucket. Everything
-- beyond is counted under `other`, and adds no field of its own.
local function tag_field(b, tag)
  part(b)
  local key = KEYS[plan.buckets[b].key]
  if changed[b] and changed[b][tag.field] then return tag.field end
  if redis.call('HEXISTS', key, tag.field) == 1 then return tag.field end
  local distinct = tonumber(redis.call('HGET', key, tag.distinct) or 0)
  if distinct >= plan.tag_values then return tag.other end
  if distinct == 0 then
    local names = tonumber(redis.call('HGET', key, tag.names) or 0)
    if names >= plan.tag_names then return tag.nameless end
    redis.call('HINCRBY', key, tag.names, 1)
  end
  redis.call('HINCRBY', key, tag.distinct, 1)
  return tag.field
end

local issues = {}
local function update_issue(tally)
  local issue = issues[tally.issue]
    or {first = tally.at, last = tally.at, about = tally.about, users = {}, names = {}}
  issue.first = math.min(issue.first, tally.at)
  issue.last = math.max(issue.last, tally.at)
  for _, name in ipairs(tally.names or {}) do issue.names[name] = 1 end
  if tally.register then
    issue.users[tally.register] = math.max(issue.users[tally.register] or 0, tally.rank)
  end
  issues[tally.issue] = issue
end

-- Returns true when the event is a sample, which goes on whole.
local function count(tally)
  update_issue(tally)
  local this_hour = add(tally.hour, tally.events, 1)
  local this_month = add(tally.month, tally.events, 1)
  if tally.n > 1 then
    add(tally.hour, tally.more, tally.n - 1)
    add(tally.month, tally.more, tally.n - 1)
    add_to_ledger('more:' .. plan.buckets[tally.month].name, tally.n - 1)
  end
  for _, tag in ipairs(tally.tags) do add(tally.month, tag_field(tally.month, tag), tally.n) end
  add_to_ledger('counted:' .. plan.buckets[tally.month].name)
  return this_month <= plan.first_samples or this_hour <= plan.hourly_samples
end

local function send_tally()
  local buckets = {}
  for b, fields in pairs(changed) do
    table.insert(buckets, {name = plan.buckets[b].name, generation = parts[b], values = fields})
  end
  if #buckets == 0 then return end
  local body = {tag = plan.tag, life = epoch, buckets = buckets, issues = issues}
  redis.call('XADD', KEYS[2], '*', 'id', '-', 'head', plan.tally_head, 'body', cjson.encode(body))
end

-- Outcomes ----------------------------------------------------------------------------------------

local totals = {emitted = 0, duplicate = 0, dropped = 0, dead = 0, stored = 0, skipped = 0}
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

-- The event was replayed for another stage that reads the same stream. This stage had it before
-- and counted it then.
function apply.skip()
  totals.skipped = totals.skipped + 1
end

function apply.drop(entry)
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
    apply[entry.act](entry)
  else
    stale = stale + 1
  end
end

send_tally()
for key in pairs(written) do redis.call('EXPIRE', key, plan.once_ttl) end
if won > 0 then add_to_ledger('done', won) end
if stale > 0 then add_to_ledger('stale', stale) end
for field, n in pairs(ledger) do redis.call('HINCRBY', KEYS[4], field, n) end
return {won, stale, totals.emitted, totals.duplicate, totals.dropped, totals.dead, totals.stored,
  totals.skipped}
