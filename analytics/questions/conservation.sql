-- The law: accepted = delivered + failed + suppressed + expired + cancelled + in_flight, by type and
-- channel, over all that is kept. Drift is a delivery that ended twice or was never asked for.
SELECT type, channel, accepted, delivered, failed, suppressed, expired, cancelled, in_flight, drift
FROM tocsin.conservation
ORDER BY type, channel;
