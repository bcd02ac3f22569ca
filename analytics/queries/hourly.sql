-- Deliveries of the last `hours` hours, by hour, channel and state: from the rollup.
SELECT at AS hour, channel, state, sum(deliveries) AS deliveries
FROM tocsin.deliveries_by_hour
WHERE at >= toStartOfHour(now('UTC')) - toIntervalHour({hours:UInt32})
GROUP BY hour, channel, state
HAVING deliveries != 0
ORDER BY hour, channel, state;
