-- The law, by type and channel.
SELECT type, channel, accepted, delivered, failed, suppressed, expired, cancelled, in_flight, drift
FROM tocsin.conservation
ORDER BY type, channel;
