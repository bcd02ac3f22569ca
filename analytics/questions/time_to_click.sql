-- How long people take from getting a message to following its link: the first click of each
-- delivery, by channel and type.
-- hours: UInt32 = 168, how far back
SELECT
    channel,
    type,
    count() AS clicked,
    round(quantileExact(0.5)(seconds), 1) AS p50_s,
    round(quantileExact(0.9)(seconds), 1) AS p90_s,
    round(quantileExact(0.99)(seconds), 1) AS p99_s,
    countIf(seconds <= 60) AS within_a_minute,
    countIf(seconds <= 3600) AS within_an_hour,
    countIf(seconds <= 86400) AS within_a_day
FROM
(
    SELECT d.delivery_id, any(d.channel) AS channel, any(d.type) AS type,
        greatest(0, dateDiff('millisecond', min(d.at), min(e.at)) / 1000) AS seconds
    FROM
    (
        SELECT delivery_id, notification_id, channel, type, at
        FROM tocsin.deliveries FINAL
        WHERE state = 'delivered' AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
    ) AS d
    INNER JOIN
    (
        SELECT notification_id, channel, at
        FROM tocsin.engagement
        WHERE kind = 'click' AND NOT bot AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
    ) AS e ON d.notification_id = e.notification_id
    WHERE e.channel = d.channel OR e.channel = ''
    GROUP BY d.delivery_id
)
GROUP BY channel, type
ORDER BY channel, type;
