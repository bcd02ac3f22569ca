-- How many people answer a message by unsubscribing, by type and channel, with 95 % intervals.
-- Only promotional messages have a link for it. ClickHouse does not know a type's category: `types` are
-- the bundled ones, and any other that somebody unsubscribed from is shown too. Wilson's intervals.
-- hours: UInt32 = 720; how far back from `until`, by when it was delivered
-- until: DateTime64(3, 'UTC') = now; up to when
-- types: Array(String) = NEWSLETTER,REVIEW,SALE_OFFER; shown even if nobody unsubscribed
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since,
    1.959963984540054 AS z,
    (k, n) -> (k / n + z * z / (2 * n)) / (1 + z * z / n) AS middle,
    (k, n) -> z * sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n)) / (1 + z * z / n) AS reach,
    deeds AS
    (
        SELECT notification_id, groupUniqArray(toString(channel)) AS left_on
        FROM tocsin.engagement
        WHERE kind = 'unsubscribe' AND NOT bot AND at >= since
        GROUP BY notification_id
    )
SELECT
    d.type AS type,
    d.channel AS channel,
    count() AS delivered,
    countIf(hasAny(e.left_on, [toString(d.channel), ''])) AS opted_out,
    round(opted_out / delivered, 6) AS opt_out_rate,
    round(greatest(0, middle(opted_out, delivered) - reach(opted_out, delivered)), 6)
        AS opt_out_rate_low,
    round(least(1, middle(opted_out, delivered) + reach(opted_out, delivered)), 6)
        AS opt_out_rate_high
FROM
(
    SELECT notification_id, channel, type
    FROM tocsin.deliveries FINAL
    WHERE state = 'delivered' AND at >= since AND at < until
) AS d
LEFT JOIN deeds AS e ON d.notification_id = e.notification_id
GROUP BY type, channel
HAVING has({types:Array(String)}, type) OR opted_out > 0
ORDER BY opt_out_rate DESC, type, channel
