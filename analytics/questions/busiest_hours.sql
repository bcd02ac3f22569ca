-- Deliveries that ended, hour by hour and by channel.
-- hours: UInt32 = 168, how far back
SELECT hour, channel, sum(deliveries) AS deliveries
FROM tocsin.deliveries_hourly
WHERE hour >= toStartOfHour(now('UTC') - toIntervalHour({hours:UInt32}))
GROUP BY hour, channel
ORDER BY hour, channel;
