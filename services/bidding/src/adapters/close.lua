#!lua flags=allow-oom
-- Tells once that an auction is over: takes it from those whose end is to be told, and appends the event with its winner.
--
-- KEYS  1 the auction  2 the ends  3 the outbox
-- ARGV  1 auction_id
--
-- Returns announced,<now> | already | early,<milliseconds left> | unknown. By Redis's clock.
-- What is not to be told any more is taken from the ends as well. Amounts and seq go from the hash to the event as they are, as
-- text: Lua would round what it prints. It may write where Redis is full: what an auction takes there is given back only after its end.

local auction = redis.call('HMGET', KEYS[1], 'ends_at', 'ended_at', 'seq', 'bid_id', 'bidder_id', 'amount')
local ends_at, ended_at, seq, bid_id, bidder_id, amount = unpack(auction, 1, 6)
if not ends_at or ended_at then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return ended_at and 'already' or 'unknown'
end

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local left = tonumber(ends_at) - tonumber(now)
if left > 0 then return 'early,' .. string.format('%.0f', left) end

local event = {'type', 'ended', 'auction_id', ARGV[1], 'at', now, 'seq', seq or '0'}
if bid_id then
  for _, text in ipairs({'bid_id', bid_id, 'bidder_id', bidder_id, 'amount', amount}) do event[#event + 1] = text end
end
redis.call('HSET', KEYS[1], 'ended_at', now)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], '*', unpack(event))
return 'announced,' .. now
