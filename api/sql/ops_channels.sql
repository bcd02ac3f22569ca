-- By channel: ends per second over the last minute, and how long it took from acceptance to delivery
-- over the last hour.
SELECT
    toString(channel) AS channel,
    countIf(state = 'delivered' AND at >= now64(3, 'UTC') - INTERVAL 60 SECOND) / 60
        AS delivered_per_s,
    countIf(state = 'failed' AND at >= now64(3, 'UTC') - INTERVAL 60 SECOND) / 60 AS failed_per_s,
    countIf(state = 'delivered') AS deliveries,
    quantilesTDigestIf(0.5, 0.95, 0.99)(
        greatest(0, dateDiff('millisecond', accepted_at, at)), state = 'delivered') AS quantiles
FROM tocsin.deliveries FINAL
WHERE at >= now64(3, 'UTC') - INTERVAL 1 HOUR AND state != 'acked'
GROUP BY channel
SETTINGS max_execution_time = 4
