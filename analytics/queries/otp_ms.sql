-- From the acceptance of a log-in code to its hand-off, in milliseconds, over all time.
SELECT count(), quantilesExact(0.5, 0.95, 0.99)(dateDiff('millisecond', accepted_at, at))
FROM tocsin.deliveries FINAL
WHERE type = 'OTP' AND state = 'delivered';
