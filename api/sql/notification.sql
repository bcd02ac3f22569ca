-- What is known of one notification: a row without a channel is the request, one without a state
-- a delivery that has begun. Each part reads by its table's sorting key.
SELECT '' AS channel, '' AS state, user_id, type, accepted_at, accepted_at AS at,
    '' AS reason, '' AS provider, '' AS provider_message_id, 0 AS attempt
FROM tocsin.requests WHERE notification_id = {id:String}
UNION ALL
SELECT channel, '', user_id, type, accepted_at, at, '', '', '', 0
FROM tocsin.accepted WHERE delivery_id IN {deliveries:Array(String)}
UNION ALL
SELECT channel, state, user_id, type, accepted_at, at, reason, provider, provider_message_id,
    attempt
FROM tocsin.deliveries WHERE delivery_id IN {deliveries:Array(String)}
