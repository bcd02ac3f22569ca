-- One-time codes: how many arrive, how fast, and how many are asked for again, by channel.
-- Whether a code was typed in is not in ClickHouse: Redis knows, until the code ends. What tells of it
-- is who asks again: codes of one person with no more than `again_within` minutes between two are one
-- log-in, and all but its first are `again`. `dropped` were used or replaced before they were sent.
-- hours: UInt32 = 24; how far back from `until`, by when the code was asked for
-- until: DateTime64(3, 'UTC') = now; up to when
-- again_within: UInt32 = 10; minutes
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since,
    toIntervalMinute({again_within:UInt32}) AS gap
SELECT
    channel,
    count() AS codes,
    countIf(state = 'delivered') AS delivered,
    countIf(state = 'failed') AS failed,
    countIf(state = 'expired') AS expired,
    countIf(state IN ('cancelled', 'suppressed')) AS dropped,
    round(delivered / codes, 6) AS delivered_rate,
    countIf(is_again) AS again,
    codes - again AS logins,
    round(again / nullIf(logins, 0), 6) AS again_per_login,
    quantileExactIf(0.5)(ms, state = 'delivered') AS p50_ms,
    quantileExactIf(0.95)(ms, state = 'delivered') AS p95_ms,
    quantileExactIf(0.99)(ms, state = 'delivered') AS p99_ms
FROM
(
    SELECT
        channel,
        state,
        accepted_at,
        dateDiff('millisecond', accepted_at, at) AS ms,
        user_id != '' AND lagInFrame(user_id) OVER people = user_id
            AND accepted_at <= lagInFrame(accepted_at) OVER people + gap AS is_again
    FROM tocsin.deliveries FINAL
    WHERE type = 'OTP' AND state != 'acked' AND accepted_at >= since - gap AND accepted_at < until
    WINDOW people AS
    (
        PARTITION BY user_id ORDER BY accepted_at, notification_id
        ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
    )
)
WHERE accepted_at >= since
GROUP BY channel
ORDER BY channel
