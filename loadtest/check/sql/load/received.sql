-- What the providers got.

INSERT INTO facts (note, channel, part, name, type, at, address, way)
WITH
    if(position(delivery_id, ':') > 0, length(delivery_id) - position(reverse(delivery_id), ':'), 0)
        AS before,
    transform(provider, ['apns', 'fcm', 'twilio', 'smtp'], ['push', 'push', 'sms', 'email'], provider)
        AS way_
SELECT
    cityHash64(if(before > 0, substring(delivery_id, 1, before), delivery_id)),
    if(before > 0, substring(delivery_id, before + 2), ''),
    if(received_at >= {since:Float64}, 2, 4), delivery_id, type, received_at,
    cityHash64(way_, recipient), way_
FROM file({received:String}, 'JSONEachRow',
    'received_at Float64, provider String, recipient String, delivery_id String, type String');
