-- Of one person, channel, priority and type: asked for after another was answered, and received long
-- before it. What was tried again or may have waited for quiet hours to end is left out.
SELECT 1 AS units, d.began AS at, concat(d.name, ': received ',
    toString(round(m.latest - m.first, 1)), ' s before one that had been answered earlier') AS example
FROM deliveries AS d
INNER JOIN
(
    SELECT note, channel, first, latest
    FROM
    (
        SELECT note, channel, asking, first,
            max(if(asking, 0, first)) OVER (PARTITION BY line ORDER BY at, asking
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS latest
        FROM
        (
            SELECT note, channel, cityHash64(user, channel, priority, type) AS line,
                arrayMin(receipts.at) AS first, moment.1 AS at, moment.2 AS asking
            FROM deliveries
            ARRAY JOIN [(answered, 0), (began, 1)] AS moment
            WHERE sure = 3 AND NOT sign_up AND notEmpty(receipts) AND attempt < 2
                AND user NOT IN (SELECT user FROM quiet)
        )
    )
    WHERE asking AND latest > first + {order:Float64}
) AS m ON d.note = m.note AND d.channel = m.channel
