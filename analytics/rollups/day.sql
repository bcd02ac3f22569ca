-- What is missing from the count of an hour's day, or too much, by the counts of its hours.
SELECT bucket, channel, type, template_id, template_version, provider, state,
    sum(there) - sum(counted) AS missing
FROM
(
    SELECT toStartOfDay(ended.at) AS bucket, channel, type, template_id,
        template_version, provider, state, toInt64(ended.deliveries) AS there, toInt64(0) AS counted
    FROM tocsin.deliveries_by_hour AS ended
    WHERE ended.at >= toStartOfDay({hour:DateTime('UTC')})
        AND ended.at < toStartOfDay({hour:DateTime('UTC')}) + INTERVAL 1 DAY
    UNION ALL
    SELECT r.at AS bucket, channel, type, template_id, template_version, provider, state,
        toInt64(0) AS there, r.deliveries AS counted
    FROM tocsin.deliveries_by_day AS r
    WHERE r.at >= toStartOfDay({hour:DateTime('UTC')}) AND r.at < toStartOfDay({hour:DateTime('UTC')}) + INTERVAL 1 DAY
)
GROUP BY bucket, channel, type, template_id, template_version, provider, state
HAVING missing != 0
