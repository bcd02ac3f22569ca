-- The newest restocks that told somebody, and what became of those who were told. A person who was
-- told twice, because a restock agent died in between, is of the first wave.
WITH
    latest AS
    (
        SELECT sku, at FROM tocsin.waves GROUP BY sku, at ORDER BY at DESC, sku
        LIMIT {limit:UInt32}
    ),
    people AS
    (
        SELECT notification_id, min(at) AS told_at, argMin(sku, at) AS item,
            argMin(available, at) AS stock
        FROM tocsin.waves
        WHERE at >= (SELECT min(at) FROM latest)
        GROUP BY notification_id
    ),
    ends AS
    (
        SELECT notification_id, countIf(state = 'delivered') > 0 AS arrived,
            countIf(state IN ('failed', 'expired')) > 0 AS lost
        FROM tocsin.deliveries
        WHERE delivery_id IN
        (
            SELECT concat(notification_id, ':', arrayJoin({channels:Array(String)})) FROM people
        )
        GROUP BY notification_id
    ),
    clicks AS
    (
        SELECT notification_id, count() > 0 AS clicked FROM tocsin.engagement
        WHERE kind = 'click' AND NOT bot
            AND notification_id IN (SELECT notification_id FROM people)
        GROUP BY notification_id
    )
SELECT
    people.item AS sku,
    people.told_at AS at,
    any(people.stock) AS available,
    count() AS told,
    countIf(ends.arrived) AS delivered,
    countIf(ends.lost AND NOT ends.arrived) AS failed,
    countIf(clicks.clicked) AS clicked
FROM people
LEFT JOIN ends ON people.notification_id = ends.notification_id
LEFT JOIN clicks ON people.notification_id = clicks.notification_id
GROUP BY sku, at
ORDER BY at DESC, sku
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 4
