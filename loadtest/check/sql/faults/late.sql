-- Received after it had expired: at the time that was asked for, or when its type makes no sense any
-- more (a code after five minutes).
SELECT 1 AS units, r.at AS at,
    concat(name, ': received ', toString(round(r.at - deadline, 1)), ' s after it had expired') AS example
FROM deliveries
ARRAY JOIN receipts AS r
WHERE sure >= 2 AND deadline > 0 AND r.at > deadline + {late:Float64}
