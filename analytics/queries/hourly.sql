-- Deliveries of the last `hours` hours, by hour, channel and state.
SELECT hour, channel, state, sum(deliveries) AS deliveries
FROM tocsin.deliveries_hourly
WHERE hour >= toStartOfHour(now('UTC')) - toIntervalHour({hours:UInt32})
GROUP BY hour, channel, state
ORDER BY hour, channel, state;
