#include "redis/redis_scripts.hpp"

namespace sse {

namespace {

// Keys of a channel:
//   :s  the stream: h = "first count bytes session number[ KEY]", i = index, d = chunks
//   :m  s = next sequence number, l = id of the last event, b = bytes so far, f = first number held
//   :n:SESSION  the number of the session's last draft
//   :k:KEY      the id of the entry of a draft with that key
//   :i:ID       "entry position" of an event that came with that id

// KEYS: 1 stream, 2 meta, 3 session's number, then those of ids that came with their events, and
// the idempotency key's at the end if ARGV[10] is not "".
// ARGV: 1 topic, 2 session, 3 number of the draft, 4 events, 5 index, 6 chunks, 7 last id that the
// server knows, 8 ms that the stream is kept, or "", 9 ms that ids are kept, 10 ms that the key is
// kept, or "", 11 the key, or "", 12.. positions of the events with ids.
constexpr std::string_view append = R"lua(
local function numbers(id) local a, b = string.match(id, '^(%d+)%-(%d+)$') return tonumber(a), tonumber(b) end
local function text(n) return string.format('%.0f', n) end
local m = redis.call('HMGET', KEYS[2], 's', 'l', 'b')
local seq, last, bytes = 0, '0-0', 0
if m[1] then
  seq, last, bytes = tonumber(m[1]), m[2], tonumber(m[3])
elseif ARGV[7] == '0-0' then
  local top = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
  if top[1] then
    local first, count, before = string.match(top[1][2][2], '^(%d+) (%d+) (%d+) ')
    seq, last, bytes = tonumber(first) + tonumber(count), top[1][1], tonumber(before) + #top[1][2][6]
  end
end
local lms, ln = numbers(last)
local kms, kn = numbers(ARGV[7])
if lms < kms or (lms == kms and ln < kn) then return {'lost'} end
local done = tonumber(redis.call('GET', KEYS[3]) or 0)
local number = tonumber(ARGV[3])
if number <= done then return {'stored'} end
if number ~= done + 1 then return {'order'} end
if ARGV[10] ~= '' then
  local known = redis.call('GET', KEYS[#KEYS])
  if known then
    redis.call('SET', KEYS[3], ARGV[3], 'EX', 3600)
    return {'known', known}
  end
end
local now = redis.call('TIME')
local ms, n = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000), 0
if ms <= lms then ms, n = lms, ln + 1 end
local count = tonumber(ARGV[4])
local id = text(ms) .. '-' .. text(n + count - 1)
local head = text(seq) .. ' ' .. text(count) .. ' ' .. text(bytes) .. ' ' .. ARGV[2] .. ' ' .. ARGV[3]
if ARGV[11] ~= '' then head = head .. ' ' .. ARGV[11] end
redis.call('XADD', KEYS[1], id, 'h', head, 'i', ARGV[5], 'd', ARGV[6])
redis.call('HSET', KEYS[2], 's', text(seq + count), 'l', id, 'b', text(bytes + #ARGV[6]))
redis.call('SET', KEYS[3], ARGV[3], 'EX', 3600)
if ARGV[8] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[8]) end
for i = 12, #ARGV do redis.call('SET', KEYS[i - 8], id .. ' ' .. ARGV[i], 'PX', ARGV[9]) end
if ARGV[10] ~= '' then redis.call('SET', KEYS[#KEYS], id, 'PX', ARGV[10]) end
redis.call('PUBLISH', ARGV[1], last .. ' ' .. id .. ' ' .. head .. '\n' .. ARGV[5] .. ARGV[6])
return {'ok', id}
)lua";

// KEYS: as of append, with the idempotency key's at the end if ARGV[13] is not "".
// ARGV: 1 topic, 2 session, 3 number of the draft, 4 events, 5 index, 6 chunks, 7 the last id that
// there must be, 8 ms that the stream is kept, or "", 9 id of the entry, 10 first sequence number,
// 11 bytes before it, 12 ms that ids are kept, 13 ms that the key is kept, or "", 14 the key, or
// "", 15.. positions of the events with ids.
constexpr std::string_view put_back = R"lua(
local last = redis.call('HGET', KEYS[2], 'l') or '0-0'
if last ~= ARGV[7] then return {'other', last} end
local function text(n) return string.format('%.0f', n) end
local head = ARGV[10] .. ' ' .. ARGV[4] .. ' ' .. ARGV[11] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3]
if ARGV[14] ~= '' then head = head .. ' ' .. ARGV[14] end
redis.call('XADD', KEYS[1], ARGV[9], 'h', head, 'i', ARGV[5], 'd', ARGV[6])
redis.call('HSET', KEYS[2], 's', text(tonumber(ARGV[10]) + tonumber(ARGV[4])), 'l', ARGV[9],
  'b', text(tonumber(ARGV[11]) + #ARGV[6]))
local done = tonumber(redis.call('GET', KEYS[3]) or 0)
if tonumber(ARGV[3]) > done then redis.call('SET', KEYS[3], ARGV[3], 'EX', 3600) end
if ARGV[8] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[8]) end
for i = 15, #ARGV do redis.call('SET', KEYS[i - 11], ARGV[9] .. ' ' .. ARGV[i], 'PX', ARGV[12]) end
if ARGV[13] ~= '' then redis.call('SET', KEYS[#KEYS], ARGV[9], 'PX', ARGV[13]) end
redis.call('PUBLISH', ARGV[1], last .. ' ' .. ARGV[9] .. ' ' .. head .. '\n' .. ARGV[5] .. ARGV[6])
return {'ok'}
)lua";

// KEYS: 1 meta. ARGV: 1 the server's next sequence number, 2 the last id that it knows, 3 how far.
constexpr std::string_view jump = R"lua(
local function numbers(id) local a, b = string.match(id, '^(%d+)%-(%d+)$') return tonumber(a), tonumber(b) end
local m = redis.call('HMGET', KEYS[1], 's', 'l', 'b')
local seq, last = tonumber(m[1] or 0), m[2] or '0-0'
local lms, ln = numbers(last)
local kms, kn = numbers(ARGV[2])
if lms < kms or (lms == kms and ln < kn) then last = ARGV[2] end
seq = string.format('%.0f', math.max(seq, tonumber(ARGV[1])) + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 's', seq, 'l', last, 'b', m[3] or '0')
return {seq, last}
)lua";

} // namespace

std::string_view text_of(RedisScript script) {
    switch (script) {
    case RedisScript::append: return append;
    case RedisScript::put_back: return put_back;
    case RedisScript::jump: return jump;
    }
    return {};
}

} // namespace sse
