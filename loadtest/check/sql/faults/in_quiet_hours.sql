-- Received inside quiet hours that had been accepted, every day of them. Critical messages may.
SELECT 1 AS units, r.at AS at, concat(d.name, ': received ',
    toString(round(positiveModulo(r.at - q.quiet_from, 86400))), ' s into quiet hours') AS example
FROM deliveries AS d
ARRAY JOIN receipts AS r
INNER JOIN quiet AS q ON d.user = q.user
WHERE d.sure >= 2 AND d.priority != 'critical' AND q.sure = 3 AND q.length > 0
    AND r.at > q.held_from + {grace:Float64} AND r.at < q.held_until
    AND r.at >= q.quiet_from
    AND (q.length >= 86400
        OR (positiveModulo(r.at - q.quiet_from, 86400) > {grace:Float64}
            AND positiveModulo(r.at - q.quiet_from, 86400) < q.length - {clocks:Float64}))
