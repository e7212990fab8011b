#!lua
-- Opens an auction, unless its end is over already.
--
-- KEYS  1 the auction  2 all auctions  3 the ends  4 the outbox
-- ARGV  1 auction_id  2 item  3 starting_price  4 min_increment  5 ends_at  6 the most unarchived events
--
-- Returns created,<now> | past,<now> | busy,<unarchived>.

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if tonumber(now) >= tonumber(ARGV[5]) then return 'past,' .. now end

local unarchived = redis.call('XLEN', KEYS[4])
if unarchived >= tonumber(ARGV[6]) then return 'busy,' .. unarchived end

redis.call('HSET', KEYS[1], 'item', ARGV[2], 'starting_price', ARGV[3], 'min_increment', ARGV[4],
  'created_at', now, 'ends_at', ARGV[5], 'seq', '0')
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
redis.call('XADD', KEYS[4], '*', 'type', 'opened', 'auction_id', ARGV[1], 'at', now, 'item', ARGV[2],
  'starting_price', ARGV[3], 'min_increment', ARGV[4], 'ends_at', ARGV[5])
return 'created,' .. now
