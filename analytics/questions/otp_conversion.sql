-- One-time codes, by channel and day: asked for, handed to the provider, how fast, and how often a
-- person asked again within ten minutes, which is a code that did not help. Whether a code was
-- typed in is the shop's log-in to know: no code and no check of one is ever in the books.
-- hours: UInt32 = 168, how far back
SELECT
    day,
    channel,
    count() AS asked,
    countIf(delivered) AS handed_over,
    round(handed_over / asked, 4) AS delivered_rate,
    countIf(again) AS asked_again,
    round(asked_again / asked, 4) AS asked_again_rate,
    quantileExactIf(0.5)(ms, delivered) AS p50_ms,
    quantileExactIf(0.99)(ms, delivered) AS p99_ms
FROM
(
    SELECT
        toStartOfDay(accepted_at) AS day,
        channel,
        state = 'delivered' AS delivered,
        dateDiff('millisecond', accepted_at, at) AS ms,
        user_id != '' AND dateDiff('second', accepted_at,
            leadInFrame(accepted_at, 1, accepted_at + INTERVAL 1 DAY) OVER (
                PARTITION BY user_id ORDER BY accepted_at
                ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)) <= 600 AS again
    FROM tocsin.deliveries FINAL
    WHERE type = 'OTP' AND state != 'acked'
        AND accepted_at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
)
GROUP BY day, channel
ORDER BY day, channel;
