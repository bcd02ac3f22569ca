-- Clicks and opens by who made them: people, or which kind of machine.
-- hours: UInt32 = 168, how far back
SELECT
    kind,
    channel,
    if(bot, toString(bot_reason), 'person') AS who,
    count() AS events,
    uniqExact(notification_id) AS notifications,
    round(events / sum(events) OVER (PARTITION BY kind, channel), 4) AS share
FROM tocsin.engagement FINAL
WHERE kind IN ('click', 'open') AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
GROUP BY kind, channel, who
ORDER BY kind, channel, events DESC, who;
