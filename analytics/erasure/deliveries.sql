ALTER TABLE tocsin.deliveries
UPDATE user_id = '', message_id = '', mail_domain = '', destination = '', content_hash = 0, data_hash = 0
WHERE user_id IN (SELECT user_id FROM tocsin.erased)
    AND accepted_at < transform(
        user_id,
        (SELECT (groupArray(user_id), groupArray(until)) FROM tocsin.erased).1,
        (SELECT (groupArray(user_id), groupArray(until)) FROM tocsin.erased).2,
        accepted_at
    )
