-- What people bought after following a link, by the message that brought them. An order counts once.
-- hours: UInt32 = 168, how far back
SELECT
    type,
    channel,
    currency,
    count() AS conversions,
    uniqExact(notification_id) AS notifications,
    round(sum(value), 2) AS revenue,
    round(revenue / conversions, 2) AS average
FROM
(
    SELECT type, channel, currency, notification_id, value
    FROM tocsin.engagement FINAL
    WHERE kind = 'convert' AND NOT bot AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
    ORDER BY at
    LIMIT 1 BY if(reference = '', event_id, reference)
)
GROUP BY type, channel, currency
ORDER BY revenue DESC, type, channel;
