-- Deliveries by channel and how they stand. The columns after `channel` are the states.
SELECT channel,
    sum(accepted) AS accepted,
    sum(delivered) AS delivered,
    sum(failed) AS failed,
    sum(suppressed) AS suppressed,
    sum(expired) AS expired,
    sum(cancelled) AS cancelled
FROM conservation
GROUP BY channel
ORDER BY channel
