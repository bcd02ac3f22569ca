-- Where the deliveries of some notifications are, on record: the last row of a channel counts.
SELECT notification_id, channel, station, reason, provider, at
FROM
(
    SELECT notification_id, toString(channel) AS channel, 'accepted' AS station, '' AS reason,
        '' AS provider, at, 0 AS rank
    FROM tocsin.accepted
    WHERE delivery_id IN {deliveries:Array(String)}
    UNION ALL
    SELECT notification_id, toString(channel), toString(state), toString(reason), '', at, 1
    FROM tocsin.decisions
    WHERE notification_id IN {ids:Array(String)} AND state IN ('deferred', 'retry', 'routed')
    UNION ALL
    SELECT notification_id, toString(channel), toString(state), toString(reason),
        toString(provider), at, 2
    FROM tocsin.deliveries
    WHERE delivery_id IN {deliveries:Array(String)} AND state != 'acked'
)
ORDER BY notification_id, channel, rank, at
SETTINGS max_execution_time = 4
