-- What sending cost, by provider and destination: messages a provider took, times a price. The
-- prices are examples: give your own. A text message in several parts counts once.
-- hours: UInt32 = 168, how far back
-- sms: Float64 = 0.04, price of a text message
-- email: Float64 = 0.0004, price of a mail
-- push: Float64 = 0, price of a push
SELECT
    provider,
    channel,
    destination,
    count() AS messages,
    round(messages * transform(toString(channel), ['sms', 'email', 'push'],
        [{sms:Float64}, {email:Float64}, {push:Float64}], 0.), 4) AS cost
FROM tocsin.deliveries FINAL
WHERE state = 'delivered' AND provider != '' AND at >= now64(3, 'UTC') - toIntervalHour({hours:UInt32})
GROUP BY provider, channel, destination
ORDER BY cost DESC, messages DESC, provider, destination;
