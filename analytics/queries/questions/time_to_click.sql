-- How long people take from a message's delivery to their first click on it, by type and channel.
-- In seconds: half, nine tenths and 99 of 100 have clicked by then; and how many within the first ten
-- seconds, from then to a minute, and so on. Of messages delivered in the time asked for.
-- hours: UInt32 = 168; how far back from `until`
-- until: DateTime64(3, 'UTC') = now; up to when
-- type: String = ; only messages of this type
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since
SELECT
    type,
    channel,
    count() AS clicked,
    round(quantileExact(0.5)(seconds), 3) AS p50_seconds,
    round(quantileExact(0.9)(seconds), 3) AS p90_seconds,
    round(quantileExact(0.99)(seconds), 3) AS p99_seconds,
    countIf(seconds <= 10) AS to_10_s,
    countIf(seconds > 10 AND seconds <= 60) AS to_1_min,
    countIf(seconds > 60 AND seconds <= 600) AS to_10_min,
    countIf(seconds > 600 AND seconds <= 3600) AS to_1_h,
    countIf(seconds > 3600 AND seconds <= 86400) AS to_1_day,
    countIf(seconds > 86400) AS later
FROM
(
    SELECT
        any(d.type) AS type,
        d.channel AS channel,
        greatest(0, min(dateDiff('millisecond', d.at, e.at))) / 1000 AS seconds
    FROM
    (
        SELECT notification_id, channel, type, at
        FROM tocsin.deliveries FINAL
        WHERE state = 'delivered' AND at >= since AND at < until
            AND ({type:String} = '' OR type = {type:String})
    ) AS d
    INNER JOIN
    (
        SELECT notification_id, channel, min(engagement.at) AS at
        FROM tocsin.engagement
        WHERE kind = 'click' AND NOT bot AND engagement.at >= since
        GROUP BY notification_id, channel
    ) AS e ON d.notification_id = e.notification_id
    WHERE e.channel IN (d.channel, '')
    GROUP BY d.notification_id, d.channel
)
GROUP BY type, channel
ORDER BY type, channel
