-- What did not arrive, and why; of a digest not which one.
SELECT
    toString(channel) AS channel,
    toString(provider) AS provider,
    toString(state) AS state,
    if(startsWith(reason, 'digest:'), 'digest', toString(reason)) AS reason,
    count() AS deliveries,
    max(at) AS last_at
FROM tocsin.deliveries FINAL
WHERE state IN ('failed', 'expired', 'suppressed')
    AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
GROUP BY channel, provider, state, reason
ORDER BY state != 'failed', deliveries DESC, last_at DESC
LIMIT 500
SETTINGS max_execution_time = 4
