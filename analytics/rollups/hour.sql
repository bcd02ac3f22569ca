-- What is missing from an hour's count, or too much, by the raw table.
SELECT bucket, channel, type, template_id, template_version, provider, state,
    sum(there) - sum(counted) AS missing
FROM
(
    SELECT toStartOfHour(toDateTime(ended.at, 'UTC')) AS bucket, channel, type, template_id,
        template_version, provider, state, toInt64(1) AS there, toInt64(0) AS counted
    FROM tocsin.deliveries AS ended FINAL
    WHERE ended.at >= {hour:DateTime('UTC')} AND ended.at < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
        AND state != 'acked'
    UNION ALL
    SELECT r.at AS bucket, channel, type, template_id, template_version, provider, state,
        toInt64(0) AS there, r.deliveries AS counted
    FROM tocsin.deliveries_by_hour AS r
    WHERE r.at >= {hour:DateTime('UTC')} AND r.at < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
)
GROUP BY bucket, channel, type, template_id, template_version, provider, state
HAVING missing != 0
