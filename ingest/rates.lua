-- Take tokens from the bucket of one project, over all ingest processes together.
--
-- KEYS[1] the bucket: `tokens`, and `at`, the time in milliseconds at which it had them
-- ARGV[1] how many events   ARGV[2] rate, events a second   ARGV[3] seconds of debt at most
-- Returns after how many milliseconds so many events may come, 0 if they may now and were paid for;
-- and after how many a single one may.

local events, rate, debt = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] * ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local burst = math.max(1, rate)
local found = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local since_s = math.max(0, now - tonumber(found[2] or now)) / 1000
local tokens = math.min(burst, tonumber(found[1] or burst) + since_s * rate)

-- A post with more events than could ever be had goes in when the bucket is full.
local least = math.max(1, math.min(events - debt, burst))
if tokens < least then
  local single = math.max(0, math.ceil((1 - tokens) / rate * 1000))
  return {math.ceil((least - tokens) / rate * 1000), single}
end
tokens = math.max(tokens - events, -debt)
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst + debt) / rate * 1000) + 1000)
return {0, 0}
