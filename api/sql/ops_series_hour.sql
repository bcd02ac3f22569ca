-- How deliveries ended, by the hour in which they did: from the rollup, whose rows are parts of counts.
SELECT
    at AS bucket,
    toString(channel) AS channel,
    toString(state) AS state,
    sum(deliveries) AS deliveries
FROM tocsin.deliveries_by_hour
WHERE at >= toStartOfHour(now('UTC')) - toIntervalHour({hours:UInt32})
GROUP BY bucket, channel, state
HAVING deliveries != 0
ORDER BY bucket, channel, state
SETTINGS max_execution_time = 4
