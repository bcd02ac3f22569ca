-- Hours of the last 29 days whose rollup says something else than the rows do. The writer puts that
-- right once an hour has been quiet for a minute, and a busy one every ten (writer/recount.py).
SELECT hour, sum(counted) AS counted, sum(there) AS there
FROM
(
    SELECT hour, sum(counted) AS counted, sum(there) AS there
    FROM
    (
        SELECT at AS hour, channel, type, template_id, template_version, provider, state,
            deliveries AS counted, toInt64(0) AS there
        FROM tocsin.deliveries_by_hour
        WHERE at >= toStartOfHour(now('UTC')) - INTERVAL 29 DAY AND at < now('UTC') + INTERVAL 1 DAY
        UNION ALL
        SELECT toStartOfHour(toDateTime(d.at, 'UTC')) AS hour, channel, type, template_id,
            template_version, provider, state, toInt64(0) AS counted, toInt64(1) AS there
        FROM tocsin.deliveries AS d FINAL
        WHERE d.at >= toStartOfHour(now('UTC')) - INTERVAL 29 DAY
            AND d.at < now('UTC') + INTERVAL 1 DAY AND state != 'acked'
    )
    GROUP BY hour, channel, type, template_id, template_version, provider, state
    HAVING counted != there
)
GROUP BY hour
ORDER BY hour;
