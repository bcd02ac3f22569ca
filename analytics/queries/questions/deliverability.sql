-- How many messages a provider takes, by where they go: a mailbox's domain, a number's first digits, or
-- a device's platform. `ambiguous` are those of the failed that may have arrived all the same: the
-- answer was lost, and they were not sent again. `tries` is the mean number of attempts.
-- hours: UInt32 = 24; how far back from `until`, by when it ended
-- until: DateTime64(3, 'UTC') = now; up to when
-- channel: String = ; only this channel
-- least: UInt32 = 1; leave out where fewer messages went
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since
SELECT
    channel,
    provider,
    destination,
    count() AS deliveries,
    countIf(state = 'delivered') AS delivered,
    countIf(state = 'failed') AS failed,
    countIf(state = 'failed' AND position(reason, 'ambiguous') > 0) AS ambiguous,
    round(delivered / deliveries, 6) AS delivered_rate,
    round(failed / deliveries, 6) AS failed_rate,
    round(ambiguous / deliveries, 6) AS ambiguous_rate,
    round(avg(attempt), 3) AS tries
FROM tocsin.deliveries FINAL
WHERE state IN ('delivered', 'failed') AND at >= since AND at < until
    AND (provider != '' OR destination != '' OR reason = 'ambiguous')
    AND ({channel:String} = '' OR channel = {channel:String})
GROUP BY channel, provider, destination
HAVING deliveries >= {least:UInt32}
ORDER BY deliveries DESC, channel, provider, destination
