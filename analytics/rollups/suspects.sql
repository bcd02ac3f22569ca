-- Hours to be counted again: written to since they were last looked at (or within `slack` seconds
-- before, when a row may have been on its way), and by now quiet for `quiet` seconds, or not looked at
-- for `patience` seconds. Of hours older than 29 days the raw rows may be going already.
SELECT t.hour
FROM (SELECT hour, max(touched_at) AS touched_at FROM tocsin.rollup_touches GROUP BY hour) AS t
LEFT JOIN (SELECT hour, max(looked_at) AS looked_at FROM tocsin.rollup_looks GROUP BY hour) AS l
    ON t.hour = l.hour
WHERE t.touched_at > l.looked_at - toIntervalSecond({slack:UInt32})
    AND (t.touched_at <= now64(3, 'UTC') - toIntervalSecond({quiet:UInt32})
        OR l.looked_at <= now64(3, 'UTC') - toIntervalSecond({patience:UInt32}))
    AND t.hour >= now('UTC') - INTERVAL 29 DAY
ORDER BY t.hour
