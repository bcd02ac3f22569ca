-- Accepted, and neither received nor ended for a reason that the history bears out.
SELECT 1 AS units, began AS at, concat(name, ': ', why) AS example
FROM
(
    SELECT name, began, multiIf(
        empty(states) AND empty(receipts), 'accepted, then neither sent nor ended',
        empty(states), 'received, and no end of it on the books',
        has(states, 'delivered'),
            if(channel = 'inapp' OR notEmpty(receipts) OR {missed:UInt64} > 0, '',
                'delivered by the books, and no provider has it'),
        has(states, 'failed'),
            if(reason = 'unknown_user' AND user IN (SELECT user FROM addresses),
                'failed as an unknown user, who is registered', ''),
        has(states, 'suppressed'), multiIf(
            reason IN ('opted_out', 'muted'),
                if(user IN (SELECT user FROM asked WHERE kind = 'opt_out' AND sure >= 2), '',
                    'suppressed as opted out by somebody who never opted out'),
            reason = 'no_address',
                if((user, channel) IN (SELECT user, way FROM addresses),
                    'suppressed for want of an address that was registered', ''),
            startsWith(reason, 'capped:'),
                if(marketing, '', 'suppressed by a cap that only marketing has'),
            reason = 'duplicate',
                if(sign_up, '', 'suppressed as a duplicate of nothing'),
            reason = 'no_words' OR startsWith(reason, 'first:'), '',
            concat('suppressed for no reason in the history: ', reason)),
        has(states, 'expired'), multiIf(
            deadline = 0 OR startsWith(reason, 'expires before the next attempt'), '',
            reason = 'expires_before_it_may_be_sent',
                if(user IN (SELECT user FROM quiet), '',
                    'expired for quiet hours that nobody had asked for'),
            ended_at + {clocks:Float64} >= deadline - (answered - began), '',
            'expired before its time'),
        has(states, 'cancelled'),
            if(notEmpty(receipts) OR reason IN ('acked', 'read')
                OR (type = 'OTP' AND user IN
                    (SELECT user FROM asked WHERE kind = 'otp' AND sure >= 2
                     GROUP BY user HAVING count() > 1))
                OR note IN (SELECT cityHash64(id) FROM asked WHERE kind = 'cancel' AND sure >= 2),
                '', 'cancelled, and nobody took it back'),
        concat('ended in a way nobody knows: ', arrayStringConcat(states, ', '))) AS why
    FROM deliveries
    WHERE sure = 3
)
WHERE why != ''
UNION ALL
-- Restocked after the sign-up, for certain: all changes of the SKU's stock that were asked for before
-- had been answered, the last of them said that there was none, and the next came after the answer.
SELECT 1, s.answered, concat('sign-up ', s.name, ': restocked, and never told')
FROM sign_ups AS s
INNER JOIN
(
    SELECT sku, max(began) AS restocked
    FROM
    (
        SELECT sku, began, sure, available, ended,
            count() OVER before AS earlier,
            max(ended) OVER before AS settled,
            lagInFrame(available, 1, -1) OVER whole AS last,
            lagInFrame(sure, 1, 0) OVER whole AS certain,
            leadInFrame(began, 1, 1e18) OVER whole AS next
        FROM asked
        WHERE kind = 'restock' AND sure >= 2
        WINDOW
            before AS (PARTITION BY sku ORDER BY began
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
            whole AS (PARTITION BY sku ORDER BY began
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    )
    WHERE sure = 3 AND available > 0 AND earlier > 0 AND last = 0 AND certain = 3
        AND settled <= began AND next >= ended
    GROUP BY sku
) AS r ON s.sku = r.sku
WHERE s.sure = 3 AND s.answered > 0 AND r.restocked > s.answered
    AND (s.expires_at = 0 OR s.expires_at > r.restocked)
    AND (s.user, s.sku) NOT IN (SELECT user, sku FROM told)
