-- How the deliveries of a range of notifications ended. A receipt (acked) is no end.
SELECT
    delivery_id,
    user_id,
    type,
    state,
    reason,
    attempt,
    toUnixTimestamp64Milli(at) / 1000 AS at
FROM tocsin.deliveries FINAL
WHERE state != 'acked'
    AND accepted_at >= {since:DateTime64(3, 'UTC')}
    AND notification_id >= {low:String}
    AND ({high:String} = '' OR notification_id < {high:String});
