-- What messages cost, by provider and where they go, at a price each.
-- `prices` are provider:destination=price, where a destination is how a domain, a number or a platform
-- begins and the longest that fits counts; those of analytics/prices.toml are examples, to be replaced.
-- Every message a provider took is one: of how many parts an SMS was is not on record. `ambiguous` may
-- have been taken, and are not in `cost`. `price` is empty where no price is known.
-- hours: UInt32 = 720; how far back from `until`, by when it was delivered
-- until: DateTime64(3, 'UTC') = now; up to when
-- prices: Array(Tuple(String, String, Float64)) = prices.toml; with commas between
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since
SELECT
    channel,
    provider,
    destination,
    messages,
    ambiguous,
    if(empty(fitting), NULL, arrayReverseSort(p -> length(p.2), fitting)[1].3) AS price,
    round(messages * price, 4) AS cost
FROM
(
    SELECT
        channel,
        provider,
        destination,
        countIf(state = 'delivered') AS messages,
        countIf(state = 'failed') AS ambiguous,
        arrayFilter(p -> p.1 = provider AND startsWith(destination, p.2),
            {prices:Array(Tuple(String, String, Float64))}) AS fitting
    FROM tocsin.deliveries FINAL
    WHERE at >= since AND at < until AND provider != ''
        AND (state = 'delivered' OR (state = 'failed' AND position(reason, 'ambiguous') > 0))
    GROUP BY channel, provider, destination
)
ORDER BY cost DESC NULLS LAST, channel, provider, destination
