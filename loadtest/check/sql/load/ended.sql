-- What the books say.

INSERT INTO facts (note, channel, part, name, user, type, at, state, reason, attempt)
WITH
    if(position(delivery_id, ':') > 0, length(delivery_id) - position(reverse(delivery_id), ':'), 0)
        AS before
SELECT
    cityHash64(if(before > 0, substring(delivery_id, 1, before), delivery_id)),
    if(before > 0, substring(delivery_id, before + 2), ''), 3, delivery_id, cityHash64(user_id), type,
    at, state, reason, attempt
FROM file({ended:String}, 'JSONEachRow',
    'delivery_id String, user_id String, type String, state String, reason String, attempt UInt16,
     at Float64');
