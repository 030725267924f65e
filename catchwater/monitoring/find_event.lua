-- One page of a stream: which of its entries are an event. Bodies of others stay in Redis.
--
-- KEYS[1] the stream
-- ARGV[1] event id   ARGV[2] where the page begins, as of XRANGE   ARGV[3] entries of a page
-- Returns {ids of the page, {id, fields} of each entry of the event...}

local ids, reply = {}, {}
reply[1] = ids
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])) do
  table.insert(ids, entry[1])
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'id' and fields[i + 1] == ARGV[1] then table.insert(reply, entry) end
  end
end
return reply
