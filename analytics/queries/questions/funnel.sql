-- What became of messages: accepted, delivered, opened, clicked and converted, by type and channel.
-- Of those accepted in the time asked for, whenever the rest happened; each once, and only what people
-- did. Who clicked has opened, whether the picture in a mail was loaded or not. An event that names no
-- channel counts for each that delivered. Of more than `most` messages only those of one notification
-- in `one_in` are looked at, by a hash of its id, and the counts are as many times as large; 1 is all
-- of them, and exact.
-- hours: UInt32 = 24; how far back from `until`
-- until: DateTime64(3, 'UTC') = now; up to when
-- type: String = ; only messages of this type
-- most: UInt32 = 500000; messages that are looked at, at most
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since,
    (
        SELECT toUInt64(exp2(ceil(log2(greatest(1, count() / greatest(1, {most:UInt32}))))))
        FROM tocsin.accepted
        WHERE accepted_at >= since AND accepted_at < until
            AND ({type:String} = '' OR type = {type:String})
    ) AS part,
    asked AS
    (
        SELECT notification_id, channel, other_id, any(type) AS kind
        FROM tocsin.accepted
        WHERE accepted_at >= since AND accepted_at < until
            AND ({type:String} = '' OR type = {type:String})
            AND cityHash64(notification_id) % part = 0
        GROUP BY notification_id, channel, other_id
    ),
    arrived AS
    (
        SELECT DISTINCT notification_id, channel
        FROM tocsin.deliveries
        WHERE state = 'delivered' AND accepted_at >= since AND accepted_at < until
            AND ({type:String} = '' OR type = {type:String})
            AND cityHash64(notification_id) % part = 0
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
            AND cityHash64(notification_id) % part = 0
        GROUP BY notification_id
    )
SELECT
    a.kind AS type,
    a.channel AS channel,
    part * count() AS accepted,
    part * countIf(d.notification_id != '') AS delivered,
    part * countIf(d.notification_id != '' AND hasAny(e.opened_on, [toString(a.channel), '']))
        AS opened,
    part * countIf(d.notification_id != '' AND hasAny(e.clicked_on, [toString(a.channel), '']))
        AS clicked,
    part * countIf(d.notification_id != '' AND hasAny(e.converted_on, [toString(a.channel), '']))
        AS converted,
    round(opened / nullIf(delivered, 0), 6) AS open_rate,
    round(clicked / nullIf(delivered, 0), 6) AS click_rate,
    round(converted / nullIf(delivered, 0), 6) AS conversion_rate,
    any(part) AS one_in
FROM asked AS a
LEFT JOIN arrived AS d ON a.notification_id = d.notification_id AND a.channel = d.channel
LEFT JOIN deeds AS e ON a.notification_id = e.notification_id
GROUP BY type, channel
ORDER BY type, channel
