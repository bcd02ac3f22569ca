-- The law of the books: whatever was accepted ends once, by type and channel.
-- accepted = delivered + failed + suppressed + expired + cancelled + in_flight + drift. Drift is what
-- ended in two ways, or ended and was never asked for; `tocsin audit` names each.
-- hours: UInt32 = 24; how far back from `until`, by when it was accepted
-- until: DateTime64(3, 'UTC') = now; up to when
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since
SELECT
    kind AS type,
    way AS channel,
    count() AS accepted,
    countIf(sound AND ends = 1) AS delivered,
    countIf(sound AND ends = 2) AS failed,
    countIf(sound AND ends = 4) AS suppressed,
    countIf(sound AND ends = 8) AS expired,
    countIf(sound AND ends = 16) AS cancelled,
    countIf(ends = 0) AS in_flight,
    countIf(NOT sound) AS drift
FROM
(
    SELECT
        any(type) AS kind,
        channel AS way,
        groupBitOr(ended) AS ends,
        bitCount(ends) < 2 AND (max(begun) = 1 OR cityHash64(notification_id) IN
        (
            SELECT cityHash64(notification_id)
            FROM tocsin.requests
            WHERE accepted_at >= since - INTERVAL 1 HOUR AND accepted_at < until + INTERVAL 1 HOUR
        )) AS sound
    FROM
    (
        SELECT notification_id, channel, other_id, type, 1 AS begun, toUInt8(0) AS ended
        FROM tocsin.accepted
        WHERE accepted_at >= since AND accepted_at < until
        UNION ALL
        SELECT notification_id, channel, other_id, type, 0 AS begun, toUInt8(transform(
            toString(state), ['delivered', 'failed', 'suppressed', 'expired', 'cancelled'],
            [1, 2, 4, 8, 16], 32)) AS ended
        FROM tocsin.deliveries
        WHERE state != 'acked' AND accepted_at >= since AND accepted_at < until
    )
    GROUP BY notification_id, channel, other_id
)
GROUP BY type, channel
ORDER BY type, channel
