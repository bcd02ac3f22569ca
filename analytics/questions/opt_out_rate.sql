-- Who had enough: unsubscriptions per delivered message, by type and channel.
-- hours: UInt32 = 168, how far back
SELECT
    type,
    channel,
    delivered,
    unsubscribed,
    round(unsubscribed / greatest(1, delivered), 5) AS opt_out_rate
FROM
(
    SELECT type, channel, uniqExactIf(id, end) AS delivered, uniqExactIf(id, NOT end) AS unsubscribed
    FROM
    (
        SELECT toString(type) AS type, toString(channel) AS channel, delivery_id AS id, true AS end
        FROM tocsin.deliveries
        WHERE state = 'delivered' AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
        UNION ALL
        SELECT toString(type), toString(channel), notification_id, false
        FROM tocsin.engagement
        WHERE kind = 'unsubscribe' AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
    )
    GROUP BY type, channel
)
ORDER BY opt_out_rate DESC, type, channel;
