-- What each restock's wave came to: who was told, who clicked within the hour, who bought, against
-- the units there were.
-- hours: UInt32 = 168, how far back
SELECT
    w.at AS at,
    w.sku AS sku,
    any(w.available) AS available,
    uniqExact(w.notification_id) AS told,
    uniqExactIf(w.notification_id, d.delivered) AS reached,
    uniqExactIf(w.notification_id, e.clicked AND e.clicked_at <= w.at + INTERVAL 1 HOUR) AS clicked_in_an_hour,
    uniqExactIf(w.notification_id, e.converted) AS converted,
    round(told / greatest(1, available), 2) AS told_per_unit,
    round(converted / told, 4) AS converted_rate
FROM
(
    SELECT * FROM tocsin.waves FINAL
    WHERE at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
) AS w
LEFT JOIN
(
    SELECT notification_id, max(state = 'delivered') AS delivered
    FROM tocsin.deliveries
    WHERE type = 'BACK_IN_STOCK' AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
    GROUP BY notification_id
) AS d ON w.notification_id = d.notification_id
LEFT JOIN
(
    SELECT notification_id,
        countIf(kind = 'click') > 0 AS clicked,
        minIf(at, kind = 'click') AS clicked_at,
        countIf(kind = 'convert') > 0 AS converted
    FROM tocsin.engagement
    WHERE NOT bot AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
    GROUP BY notification_id
) AS e ON w.notification_id = e.notification_id
GROUP BY at, sku
ORDER BY at DESC, sku;
