-- Who follows links and loads pictures: people, and machines by what gave them away.
-- Every event is kept; `share` is of the events of one kind and channel.
-- hours: UInt32 = 168; how far back from `until`
-- until: DateTime64(3, 'UTC') = now; up to when
WITH
    {until:DateTime64(3, 'UTC')} AS until,
    until - toIntervalHour({hours:UInt32}) AS since
SELECT
    kind,
    channel,
    if(bot, if(bot_reason = '', 'unknown', toString(bot_reason)), 'person') AS who,
    count() AS events,
    uniqExact(notification_id) AS notifications,
    round(events / sum(count()) OVER (PARTITION BY kind, channel), 6) AS share
FROM tocsin.engagement FINAL
WHERE kind IN ('click', 'open') AND at >= since AND at < until
GROUP BY kind, channel, who
ORDER BY kind, channel, events DESC, who
