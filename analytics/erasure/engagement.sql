ALTER TABLE tocsin.engagement
UPDATE user_id = '', link = '', reference = ''
WHERE user_id IN (SELECT user_id FROM tocsin.erased)
    AND at < transform(
        user_id,
        (SELECT (groupArray(user_id), groupArray(until)) FROM tocsin.erased).1,
        (SELECT (groupArray(user_id), groupArray(until)) FROM tocsin.erased).2,
        at
    )
