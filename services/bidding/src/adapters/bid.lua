#!lua
-- Decides one bid and brings its effect about, all at once: the rules of domain/decide-bid.ts.
--
-- KEYS  1 the auction  2 the auction's answers  3 the outbox
-- ARGV  1 auction_id  2 bid_id  3 bidder_id  4 amount  5 "1": keep the answer whatever it is  6 the most unarchived events
--       7 the most answers of an auction, beyond which only those of accepted bids are kept
--
-- Returns the answer in one line: accepted,<seq>,<amount> | refused,<seq>,<highest or nothing>,<least> | ended,<ends_at> |
-- unknown | other-bid | busy,<unarchived>. It is kept as it is, followed by the amount and the bidder whose it is.
--
-- Lua does not roll back, so that everything is decided before the first write. Without flags in its first line the script
-- is refused as a whole where Redis is out of memory. Numbers are doubles: exact, since amounts are 2^53 - 1 at the most;
-- tostring() would write them with 14 digits only, hence the format.

local auction = redis.call('HMGET', KEYS[1],
  'ends_at', 'ended_at', 'seq', 'amount', 'min_increment', 'starting_price')
local ends_at = auction[1]
if not ends_at then return 'unknown' end

local whose = ARGV[4] .. ' ' .. ARGV[3]
local keep = ARGV[5] == '1'
if keep then
  local known = redis.call('HGET', KEYS[2], ARGV[2])
  if known then
    local space = string.find(known, ' ', 1, true)
    if string.sub(known, space + 1) ~= whose then return 'other-bid' end
    return string.sub(known, 1, space - 1)
  end
end

-- Without it, the same bid sent again finds the same or a later refusal: refused, it had no effect, and the least only rises.
local function keep_refusal(answer)
  if keep and redis.call('HLEN', KEYS[2]) < tonumber(ARGV[7]) then
    redis.call('HSET', KEYS[2], ARGV[2], answer .. ' ' .. whose)
  end
  return answer
end

-- Once its end has been told, it stays ended whatever becomes of the clock. Nothing is written from then on: the keys are
-- about to expire, and one made now would stay.
if auction[2] then return 'ended,' .. ends_at end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now >= tonumber(ends_at) then return keep_refusal('ended,' .. ends_at) end

local highest = auction[4]
local least
if highest then
  least = highest + auction[5]
else
  least = tonumber(auction[6])
end
if tonumber(ARGV[4]) < least then
  return keep_refusal('refused,' .. auction[3] .. ',' .. (highest or '') .. ',' .. string.format('%.0f', least))
end

local unarchived = redis.call('XLEN', KEYS[3])
if unarchived >= tonumber(ARGV[6]) then return 'busy,' .. unarchived end

local seq = string.format('%.0f', auction[3] + 1)
local answer = 'accepted,' .. seq .. ',' .. ARGV[4]
redis.call('HSET', KEYS[1], 'seq', seq, 'amount', ARGV[4], 'bid_id', ARGV[2], 'bidder_id', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[2], answer .. ' ' .. whose)
redis.call('XADD', KEYS[3], '*', 'type', 'bid', 'auction_id', ARGV[1], 'at', string.format('%.0f', now),
  'seq', seq, 'bid_id', ARGV[2], 'bidder_id', ARGV[3], 'amount', ARGV[4])
return answer
