-- How these deliveries ended, as far as they have, by the table's sorting key.
SELECT delivery_id, state, reason
FROM tocsin.deliveries FINAL
WHERE notification_id IN
        (SELECT arrayStringConcat(arrayPopBack(splitByChar(':', arrayJoin({deliveries:Array(String)}))), ':'))
    AND delivery_id IN {deliveries:Array(String)}
    AND state != 'acked'
