-- How deliveries ended, by the time they did.
SELECT
    toDateTime(toStartOfInterval(at, toIntervalSecond({seconds:UInt32})), 'UTC') AS bucket,
    toString(channel) AS channel,
    toString(state) AS state,
    count() AS deliveries
FROM tocsin.deliveries FINAL
WHERE state != 'acked' AND at >= toStartOfInterval(
    now('UTC') - toIntervalSecond({span:UInt32}), toIntervalSecond({seconds:UInt32}))
GROUP BY bucket, channel, state
ORDER BY bucket, channel, state
SETTINGS max_execution_time = 4
