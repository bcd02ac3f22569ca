-- What each restock came to: who was told that it is back, whom it reached, who clicked within an hour
-- of being told, who bought, and how many units there were. By SKU and restock, the newest first.
-- People only; a person who was told twice is of the first wave.
-- hours: UInt32 = 168; how far back from `until`, by when people were told
-- until: DateTime64(3, 'UTC') = now; up to when
-- sku: String = ; only this SKU
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since,
    people AS
    (
        SELECT notification_id, min(w.at) AS told_at, argMin(w.sku, w.at) AS item,
            argMin(w.available, w.at) AS units
        FROM tocsin.waves AS w
        WHERE w.at >= since - INTERVAL 1 DAY AND w.at < until
        GROUP BY notification_id
        HAVING told_at >= since AND ({sku:String} = '' OR item = {sku:String})
    ),
    arrived AS
    (
        SELECT DISTINCT notification_id
        FROM tocsin.deliveries
        WHERE state = 'delivered' AND at >= since
            AND notification_id IN (SELECT notification_id FROM people)
    ),
    deeds AS
    (
        SELECT notification_id, minIf(e.at, kind = 'click') AS clicked_at,
            countIf(kind = 'click') > 0 AS has_clicked, countIf(kind = 'convert') > 0 AS has_bought
        FROM tocsin.engagement AS e
        WHERE kind IN ('click', 'convert') AND NOT bot AND e.at >= since
            AND notification_id IN (SELECT notification_id FROM people)
        GROUP BY notification_id
    )
SELECT
    p.item AS sku,
    p.told_at AS at,
    any(p.units) AS available,
    count() AS told,
    countIf(a.notification_id != '') AS delivered,
    countIf(d.has_clicked AND d.clicked_at <= p.told_at + INTERVAL 1 HOUR) AS clicked_in_1_h,
    countIf(d.has_bought) AS converted,
    round(clicked_in_1_h / nullIf(delivered, 0), 6) AS click_rate,
    round(converted / nullIf(delivered, 0), 6) AS conversion_rate,
    round(converted / nullIf(available, 0), 6) AS sold_share
FROM people AS p
LEFT JOIN arrived AS a ON p.notification_id = a.notification_id
LEFT JOIN deeds AS d ON p.notification_id = d.notification_id
GROUP BY sku, at
ORDER BY at DESC, sku
