-- Clicks per delivery by template version, with Wilson's 95 % interval: people beside all that
-- followed a link, machines included. Two versions differ if their intervals do not meet.
-- hours: UInt32 = 168, how far back
-- least: UInt32 = 1, versions with fewer deliveries are left out
WITH
    1.959964 AS z,
    (k, n) -> (k / n + z * z / (2 * n)) / (1 + z * z / n) AS middle,
    (k, n) -> z * sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n)) / (1 + z * z / n) AS half
SELECT
    template_id,
    template_version,
    channel,
    uniqExact(delivery_id) AS delivered,
    uniqExactIf(delivery_id, e.clicked) AS human_clicked,
    uniqExactIf(delivery_id, e.clicked OR e.bot_clicked) AS raw_clicked,
    round(human_clicked / delivered, 4) AS human_ctr,
    round(greatest(0, middle(human_clicked, delivered) - half(human_clicked, delivered)), 4)
        AS human_ctr_low,
    round(least(1, middle(human_clicked, delivered) + half(human_clicked, delivered)), 4)
        AS human_ctr_high,
    round(raw_clicked / delivered, 4) AS raw_ctr,
    round(greatest(0, middle(raw_clicked, delivered) - half(raw_clicked, delivered)), 4)
        AS raw_ctr_low,
    round(least(1, middle(raw_clicked, delivered) + half(raw_clicked, delivered)), 4)
        AS raw_ctr_high
FROM
(
    SELECT DISTINCT delivery_id, notification_id, channel, template_id, template_version
    FROM tocsin.deliveries
    WHERE state = 'delivered' AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
) AS d
LEFT JOIN tocsin.engaged AS e ON d.notification_id = e.notification_id
    AND (e.channel = d.channel OR e.channel = '')
GROUP BY template_id, template_version, channel
HAVING delivered >= {least:UInt32}
ORDER BY template_id, channel, template_version;
