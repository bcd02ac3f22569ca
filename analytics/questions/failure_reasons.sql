-- Why messages were not delivered, the commonest first.
-- hours: UInt32 = 168, how far back
SELECT state, reason, channel, provider, count() AS deliveries, max(at) AS last
FROM tocsin.deliveries FINAL
WHERE state IN ('failed', 'suppressed', 'expired', 'cancelled') AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
GROUP BY state, reason, channel, provider
ORDER BY deliveries DESC, state, reason, channel, provider;
