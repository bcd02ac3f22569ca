-- From acceptance to delivery, by the minute of the delivery.
SELECT
    toStartOfMinute(at) AS bucket,
    toString(channel) AS channel,
    count() AS deliveries,
    quantilesTDigest(0.5, 0.95, 0.99)(
        greatest(0, dateDiff('millisecond', accepted_at, at))) AS quantiles
FROM tocsin.deliveries FINAL
WHERE state = 'delivered'
    AND at >= toStartOfMinute(now('UTC')) - toIntervalMinute({minutes:UInt32})
GROUP BY bucket, channel
ORDER BY bucket, channel
SETTINGS max_execution_time = 4
