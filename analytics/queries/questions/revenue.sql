-- What people bought after a message, by type, channel, template and currency.
-- A sale counts once, however often it is told, and to the message it is owed to; what was worth nothing
-- said counts as a sale of 0. Of sales in the time asked for, whenever the message went out.
-- hours: UInt32 = 720; how far back from `until`
-- until: DateTime64(3, 'UTC') = now; up to when
-- type: String = ; only messages of this type
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since,
    sales AS
    (
        SELECT event_id, notification_id, toString(channel) AS way, toString(type) AS kind, value,
            toString(currency) AS money
        FROM tocsin.engagement FINAL
        WHERE engagement.kind = 'convert' AND NOT bot AND at >= since AND at < until
    )
SELECT
    type,
    channel,
    template_id,
    money AS currency,
    count() AS conversions,
    round(sum(worth), 2) AS value,
    round(avg(worth), 2) AS average
FROM
(
    SELECT
        if(s.kind = '', toString(d.type), s.kind) AS type,
        if(s.way = '', toString(d.channel), s.way) AS channel,
        toString(d.template_id) AS template_id,
        s.money AS money,
        s.value AS worth
    FROM sales AS s
    LEFT JOIN
    (
        SELECT notification_id, channel, type, template_id, at
        FROM tocsin.deliveries FINAL
        WHERE state = 'delivered' AND notification_id IN (SELECT notification_id FROM sales)
    ) AS d ON s.notification_id = d.notification_id AND (s.way = d.channel OR s.way = '')
    ORDER BY d.at, d.channel
    LIMIT 1 BY s.event_id
)
WHERE {type:String} = '' OR type = {type:String}
GROUP BY type, channel, template_id, currency
ORDER BY value DESC, type, channel, template_id, currency
