-- Why messages fail, by channel and provider, the most frequent reason first.
-- `share` is of all that ended in this state; `example` is the newest, for `GET /v1/notifications/{id}`.
-- hours: UInt32 = 24; how far back from `until`
-- until: DateTime64(3, 'UTC') = now; up to when
-- state: String = failed; or suppressed, expired, cancelled
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since
SELECT
    channel,
    provider,
    reason,
    count() AS deliveries,
    round(deliveries / sum(count()) OVER (), 6) AS share,
    argMax(notification_id, d.at) AS example,
    max(d.at) AS last_at
FROM
(
    SELECT notification_id, channel, provider, reason, at
    FROM tocsin.deliveries FINAL
    WHERE state = {state:String} AND at >= since AND at < until
) AS d
GROUP BY channel, provider, reason
ORDER BY deliveries DESC, channel, provider, reason
