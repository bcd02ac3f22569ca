-- What providers do with messages, by where these go: a mailbox's domain, a number's country and
-- carrier prefix, a device's platform.
-- hours: UInt32 = 168, how far back
-- least: UInt32 = 1, destinations with fewer messages are left out
SELECT
    provider,
    channel,
    destination,
    count() AS sent,
    countIf(state = 'delivered') AS delivered,
    countIf(state = 'failed') AS failed,
    countIf(state = 'failed' AND startsWith(reason, 'ambiguous')) AS ambiguous,
    round(delivered / sent, 4) AS delivered_rate,
    round(avg(attempt), 2) AS attempts,
    topKIf(1)(reason, state = 'failed')[1] AS commonest_reason
FROM tocsin.deliveries FINAL
WHERE provider != '' AND state IN ('delivered', 'failed') AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
GROUP BY provider, channel, destination
HAVING sent >= {least:UInt32}
ORDER BY sent DESC, provider, destination;
