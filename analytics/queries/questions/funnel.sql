-- What became of messages: accepted, delivered, opened, clicked and converted, by type and channel.
-- Of those accepted in the time asked for, whenever the rest happened; each once, and only what people
-- did. Who clicked has opened, whether the picture in a mail was loaded or not. An event that names no
-- channel counts for each that delivered.
-- hours: UInt32 = 24; how far back from `until`
-- until: DateTime64(3, 'UTC') = now; up to when
-- type: String = ; only messages of this type
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since,
    arrived AS
    (
        SELECT DISTINCT notification_id, channel
        FROM tocsin.deliveries
        WHERE state = 'delivered' AND accepted_at >= since AND accepted_at < until
    ),
    deeds AS
    (
        SELECT
            notification_id,
            groupUniqArrayIf(toString(channel), kind IN ('open', 'read', 'click')) AS opened_on,
            groupUniqArrayIf(toString(channel), kind = 'click') AS clicked_on,
            groupUniqArrayIf(toString(channel), kind = 'convert') AS converted_on
        FROM tocsin.engagement
        WHERE NOT bot AND kind IN ('open', 'read', 'click', 'convert') AND at >= since
        GROUP BY notification_id
    )
SELECT
    a.type AS type,
    a.channel AS channel,
    count() AS accepted,
    countIf(d.notification_id != '') AS delivered,
    countIf(d.notification_id != '' AND hasAny(e.opened_on, [toString(a.channel), ''])) AS opened,
    countIf(d.notification_id != '' AND hasAny(e.clicked_on, [toString(a.channel), ''])) AS clicked,
    countIf(d.notification_id != '' AND hasAny(e.converted_on, [toString(a.channel), '']))
        AS converted,
    round(opened / nullIf(delivered, 0), 6) AS open_rate,
    round(clicked / nullIf(delivered, 0), 6) AS click_rate,
    round(converted / nullIf(delivered, 0), 6) AS conversion_rate
FROM
(
    SELECT notification_id, channel, type
    FROM tocsin.accepted FINAL
    WHERE accepted_at >= since AND accepted_at < until
        AND ({type:String} = '' OR type = {type:String})
) AS a
LEFT JOIN arrived AS d ON a.notification_id = d.notification_id AND a.channel = d.channel
LEFT JOIN deeds AS e ON a.notification_id = e.notification_id
GROUP BY type, channel
ORDER BY type, channel
