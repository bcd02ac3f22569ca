-- On a channel that was not asked for, or by the provider of another one.
SELECT 1 AS units, at, concat(name, ': its channel was not asked for') AS example
FROM strangers
WHERE elsewhere
UNION ALL
SELECT 1, r.at, concat(name, ': received by ', r.way)
FROM deliveries
ARRAY JOIN receipts AS r
WHERE sure >= 2 AND r.way != channel
