-- commit: replace records if nobody else has, move them in the indexes, extend the audit trail.
-- All or nothing, so a record, what finds it and what tells of it never disagree.
--
-- KEYS  1           audit trail of the thread (list of events, JSON)
--       2 .. R+1    records (hash: version, body)
--       R+2 .. end  indexes (zset: id by time)
-- ARGV  1           length that the trail had when it was read; "" where no event is added
--       2           R, the number of records
--       then for each record   version that was read, new body
--       then the number of index entries, and for each   number of its key, id, score ("" removes)
--       then the events, in order
-- Answers 1, or 0 where the trail or a record is no longer what was read (nothing is written).

local records = tonumber(ARGV[2])
if ARGV[1] ~= '' and redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
for r = 1, records do
  if (redis.call('HGET', KEYS[r + 1], 'version') or '0') ~= ARGV[1 + 2 * r] then return 0 end
end
for r = 1, records do
  redis.call('HSET', KEYS[r + 1], 'version', tonumber(ARGV[1 + 2 * r]) + 1, 'body', ARGV[2 + 2 * r])
end
local at = 3 + 2 * records
for entry = 1, tonumber(ARGV[at]) do
  local key, id, score = KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], ARGV[at + 3]
  if score == '' then redis.call('ZREM', key, id) else redis.call('ZADD', key, score, id) end
  at = at + 3
end
for event = at + 1, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[event]) end
return 1
