-- When most messages go out: the hours of the week, the busiest first.
-- Of deliveries that ended as delivered or failed. `per_hour` is the mean over the weeks looked at.
-- hours: UInt32 = 168; how far back from `until`
-- until: DateTime64(3, 'UTC') = now; up to when
-- timezone: String = UTC; whose hours, as IANA names it
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since,
    toTimeZone(at, {timezone:String}) AS there
SELECT
    ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][toDayOfWeek(there)] AS weekday,
    toHour(there) AS hour,
    count() AS deliveries,
    countIf(state = 'delivered') AS delivered,
    countIf(state = 'failed') AS failed,
    round(deliveries / uniqExact(toStartOfHour(there)), 1) AS per_hour
FROM tocsin.deliveries FINAL
WHERE state IN ('delivered', 'failed') AND at >= since AND at < until
GROUP BY weekday, hour
ORDER BY deliveries DESC, weekday, hour
