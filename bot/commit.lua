-- commit: replace records if nobody else has, move them in the indexes, extend the audit trail.
-- All or nothing, so a record, what finds it and what tells of it never disagree.
--
-- KEYS  1           audit trail of the thread (list of events, JSON)
--       2           lease of whoever writes (string: its token)
--       3 .. R+2    records (hash: version, body)
--       R+3 .. end  indexes (zset: id by time)
-- ARGV  1           token of the lease under which this is written; "" where there is none
--       2           time (seconds, of Redis's own clock) when it is too late; "" where it never is
--       3           length that the trail had when it was read; "" where no event is added
--       4           R, the number of records
--       then for each record   version that was read, new body
--       then the number of index entries, and for each   number of its key, id, score ("" removes),
--         seconds: how long the index keeps what it holds, by score, and itself; "": for good
--       then the events, in order
-- Answers 1, or nothing is written: 0 where the trail or a record is no longer what was read,
-- -1 where the lease is no longer the writer's, -2 where it is too late.

if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[1] then return -1 end
local now = redis.call('TIME')
if ARGV[2] ~= '' and now[1] + now[2] / 1e6 > tonumber(ARGV[2]) then return -2 end
local records = tonumber(ARGV[4])
if ARGV[3] ~= '' and redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[3]) then return 0 end
for r = 1, records do
  if (redis.call('HGET', KEYS[r + 2], 'version') or '0') ~= ARGV[3 + 2 * r] then return 0 end
end
for r = 1, records do
  redis.call('HSET', KEYS[r + 2], 'version', tonumber(ARGV[3 + 2 * r]) + 1, 'body', ARGV[4 + 2 * r])
end
local at = 5 + 2 * records
for entry = 1, tonumber(ARGV[at]) do
  local key, id = KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2]
  local score, seconds = ARGV[at + 3], ARGV[at + 4]
  if score == '' then redis.call('ZREM', key, id) else redis.call('ZADD', key, score, id) end
  if score ~= '' and seconds ~= '' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. (tonumber(score) - tonumber(seconds)))
    redis.call('EXPIRE', key, seconds)
  end
  at = at + 4
end
for event = at + 1, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[event]) end
return 1
