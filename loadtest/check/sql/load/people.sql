-- Who was registered, and at which addresses.

INSERT INTO addresses
SELECT cityHash64(user), way.1, cityHash64(cityHash64(user), cityHash64(way.1, way.2))
FROM file({people:String}, 'JSONEachRow', 'user String, push Array(String), sms String, email String')
ARRAY JOIN arrayConcat(arrayMap(token -> ('push', token), push), [('sms', sms), ('email', email)])
    AS way
WHERE way.2 != '';
