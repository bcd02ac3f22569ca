-- Received at an address that the person was not registered with.
SELECT 1 AS units, r.at AS at, concat(name, ': received at an address that is not theirs') AS example
FROM deliveries
ARRAY JOIN receipts AS r
WHERE sure >= 2 AND cityHash64(user, r.address) NOT IN (SELECT pair FROM addresses)
