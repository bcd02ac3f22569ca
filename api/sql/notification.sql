-- What is known of one notification, a part after the other, each by its table's sorting key (the
-- few dead letters excepted). request: that it was asked for. begun and ended: its deliveries.
-- receipt: what was heard after an end. look: what was decided on the way. dead: the letters about
-- it, or about all its record held, unless they are older than it by more than clocks differ:
-- offsets begin again with the log.
SELECT 'request' AS part, '' AS channel, '' AS state, user_id, type, accepted_at,
    accepted_at AS at, '' AS reason, '' AS provider, '' AS provider_message_id, 0 AS attempt,
    '' AS template_id, 0 AS template_version, '' AS trace,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS due_at, '' AS field
FROM tocsin.requests FINAL
WHERE notification_id = {id:String}
UNION ALL
SELECT 'begun', channel, 'accepted', user_id, type, accepted_at, at, '', '', '', 0, template_id,
    template_version, '', NULL, ''
FROM tocsin.accepted FINAL
WHERE notification_id = {id:String} AND delivery_id IN {deliveries:Array(String)}
UNION ALL
SELECT 'ended', channel, state, user_id, type, accepted_at, at, reason, provider,
    provider_message_id, attempt, template_id, template_version, '', NULL, ''
FROM tocsin.deliveries FINAL
WHERE notification_id = {id:String} AND delivery_id IN {deliveries:Array(String)} AND state != 'acked'
UNION ALL
SELECT 'receipt', channel, state, user_id, type, accepted_at, at, reason, provider,
    provider_message_id, attempt, template_id, template_version, '', NULL, ''
FROM tocsin.deliveries FINAL
WHERE notification_id = {id:String} AND delivery_id IN {deliveries:Array(String)} AND state = 'acked'
UNION ALL
SELECT 'look', channel, state, user_id, '', at, at, reason, '', '', attempt, template_id,
    template_version, trace, due_at, ''
FROM tocsin.decisions FINAL
WHERE notification_id = {id:String}
UNION ALL
SELECT 'dead', '', '', '', '', at, at, reason, '', '', 0, '', 0, '', NULL, field
FROM tocsin.dead_letters FINAL
WHERE notification_id = {id:String}
    OR (notification_id = '' AND NOT startsWith(field, 'requests[')
        AND (topic, partition, offset) IN
            (SELECT topic, partition, offset FROM tocsin.requests FINAL
             WHERE notification_id = {id:String})
        AND at + INTERVAL 10 MINUTE >=
            (SELECT max(accepted_at) FROM tocsin.requests FINAL
             WHERE notification_id = {id:String}))
