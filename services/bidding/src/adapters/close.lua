#!lua
-- Tells once that an auction is over: takes it from those whose end is to be told, and appends the event with its winner.
--
-- KEYS  1 the auction, 2 ends, 3 outbox (keys.ts)
-- ARGV  1 its id
-- Answers one of
--   {'announced', at}   now, in milliseconds by Redis's clock
--   {'already'}         it was told before
--   {'early', left}     milliseconds until its end
--   {'unknown'}         there is no such auction any more; nor is its end to be told
-- Amounts and seq go from the hash to the event as they are, as text: Lua would round what it prints.

local auction, ends, outbox = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[1]

local ends_at, ended_at, seq, bid_id, bidder_id, amount =
  unpack(redis.call('HMGET', auction, 'ends_at', 'ended_at', 'seq', 'bid_id', 'bidder_id', 'amount'))
if not ends_at then
  redis.call('ZREM', ends, id)
  return {'unknown'}
end
if ended_at then
  redis.call('ZREM', ends, id)
  return {'already'}
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local left = tonumber(ends_at) - now
if left > 0 then
  return {'early', left}
end

local at = string.format('%.0f', now)
local event = {'type', 'ended', 'auction_id', id, 'at', at, 'seq', seq or '0'}
if bid_id then
  for _, part in ipairs({'bid_id', bid_id, 'bidder_id', bidder_id, 'amount', amount}) do
    event[#event + 1] = part
  end
end
redis.call('HSET', auction, 'ended_at', at)
redis.call('ZREM', ends, id)
redis.call('XADD', outbox, '*', unpack(event))
return {'announced', now}
