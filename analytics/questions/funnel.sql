-- From accepted to bought, by type and channel. People only: what machines opened or followed is
-- left out. Deliveries count by when they were accepted.
-- hours: UInt32 = 168, how far back
SELECT
    type,
    channel,
    uniqExact(delivery_id) AS accepted,
    uniqExactIf(delivery_id, was_delivered) AS delivered,
    uniqExactIf(delivery_id, was_delivered AND e.opened) AS opened,
    uniqExactIf(delivery_id, was_delivered AND e.clicked) AS clicked,
    uniqExactIf(delivery_id, was_delivered AND e.converted) AS converted
FROM
(
    SELECT delivery_id, any(notification_id) AS notification_id, any(type) AS type,
        any(channel) AS channel, max(end) AS was_delivered
    FROM
    (
        SELECT delivery_id, notification_id, toString(type) AS type, toString(channel) AS channel,
            false AS end
        FROM tocsin.accepted
        WHERE accepted_at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
        UNION ALL
        SELECT delivery_id, notification_id, toString(type), toString(channel), state = 'delivered'
        FROM tocsin.deliveries
        WHERE accepted_at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32}) AND state != 'acked'
    )
    GROUP BY delivery_id
) AS d
LEFT JOIN tocsin.engaged AS e ON d.notification_id = e.notification_id
    AND (e.channel = d.channel OR e.channel = '')
GROUP BY type, channel
ORDER BY type, channel;
