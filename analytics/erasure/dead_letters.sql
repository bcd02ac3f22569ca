-- The letter stays, it is in the books; what it quotes goes. A payload mentions somebody when it
-- holds the id as a JSON string, or anywhere in it when it is not JSON (or cut short). `until` is
-- not asked: of whoever is back a letter too many is cleared, and `tocsin dlq` reads the log.
-- (multiSearchAny would do, but takes 254 ids at most.)
ALTER TABLE tocsin.dead_letters
UPDATE payload_b64 = ''
WHERE payload_b64 != ''
    AND if(
        isValidJSON(tryBase64Decode(payload_b64)),
        has(
            (SELECT groupArray(user_id) FROM tocsin.erased),
            JSONExtractString(tryBase64Decode(payload_b64), 'user_id')
        ) OR arrayExists(
            quoted -> position(tryBase64Decode(payload_b64), quoted) > 0,
            (SELECT groupArray(toJSONString(user_id)) FROM tocsin.erased)
        ),
        arrayExists(
            bare -> position(tryBase64Decode(payload_b64), bare) > 0,
            (SELECT groupArray(user_id) FROM tocsin.erased)
        )
    )
