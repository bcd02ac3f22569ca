-- Of what was delivered, how much was clicked, by version of the template, with 95 % intervals.
-- `ctr` is people's, `raw_ctr` counts machines that follow links (scanners, previews) too. `low` and
-- `high` are Wilson's: two versions whose intervals do not meet really differ. Version 0 is bundled.
-- hours: UInt32 = 168; how far back from `until`, by when it was delivered
-- until: DateTime64(3, 'UTC') = now; up to when
-- type: String = ; only messages of this type
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since,
    1.959963984540054 AS z,
    (k, n) -> (k / n + z * z / (2 * n)) / (1 + z * z / n) AS middle,
    (k, n) -> z * sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n)) / (1 + z * z / n) AS reach,
    deeds AS
    (
        SELECT
            notification_id,
            groupUniqArrayIf(toString(channel), NOT bot) AS people_on,
            groupUniqArray(toString(channel)) AS all_on
        FROM tocsin.engagement
        WHERE kind = 'click' AND at >= since
        GROUP BY notification_id
    )
SELECT
    d.type AS type,
    d.channel AS channel,
    d.template_id AS template_id,
    d.template_version AS template_version,
    count() AS delivered,
    countIf(hasAny(e.people_on, [toString(d.channel), ''])) AS clicked,
    round(clicked / delivered, 6) AS ctr,
    round(greatest(0, middle(clicked, delivered) - reach(clicked, delivered)), 6) AS ctr_low,
    round(least(1, middle(clicked, delivered) + reach(clicked, delivered)), 6) AS ctr_high,
    countIf(hasAny(e.all_on, [toString(d.channel), ''])) AS raw_clicked,
    round(raw_clicked / delivered, 6) AS raw_ctr,
    round(greatest(0, middle(raw_clicked, delivered) - reach(raw_clicked, delivered)), 6)
        AS raw_ctr_low,
    round(least(1, middle(raw_clicked, delivered) + reach(raw_clicked, delivered)), 6)
        AS raw_ctr_high
FROM
(
    SELECT notification_id, channel, type, template_id, template_version
    FROM tocsin.deliveries FINAL
    WHERE state = 'delivered' AND at >= since AND at < until
        AND ({type:String} = '' OR type = {type:String})
) AS d
LEFT JOIN deeds AS e ON d.notification_id = e.notification_id
GROUP BY type, channel, template_id, template_version
ORDER BY type, channel, template_id, template_version
