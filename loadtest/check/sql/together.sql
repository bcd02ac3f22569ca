-- What people asked for themselves, and whom restocks told.

INSERT INTO opt_outs
SELECT user, channel, min(ended)
FROM asked
ARRAY JOIN if(empty(channels), ['push', 'sms', 'email', 'inapp'], CAST(channels, 'Array(String)'))
    AS channel
WHERE kind = 'opt_out' AND sure = 3
GROUP BY user, channel;

-- A wish holds from its answer until the next one is asked for, whether that is accepted or not known.
INSERT INTO quiet
SELECT user, sure, ended, if(next = 0, 1e18, next), quiet_from, quiet_until - quiet_from
FROM
(
    SELECT user, sure, ended, quiet_from, quiet_until,
        leadInFrame(began, 1, 0.) OVER (PARTITION BY user ORDER BY began
            ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next
    FROM asked
    WHERE kind = 'quiet_hours' AND sure >= 2
);

INSERT INTO sign_ups
WITH arrayFlatten(groupArray(if(empty(a.channels), t.channels, CAST(a.channels, 'Array(String)'))))
    AS every
SELECT
    a.user, a.sku, count() AS asked, max(a.sure), minIf(a.ended, a.sure = 3),
    minIf(a.expires_at, a.sure = 3), arrayDistinct(every) AS any_of,
    arrayFilter(channel -> countEqual(every, channel) = asked, any_of), any(a.id)
FROM asked AS a
INNER JOIN types AS t ON a.type = t.type
WHERE a.kind = 'sign_up' AND a.sure >= 2
GROUP BY a.user, a.sku;

INSERT INTO told
SELECT f.note, any(f.user), any(w.sku), any(w.notification)
FROM facts AS f
INNER JOIN waves AS w ON f.note = w.note
WHERE f.part = 3
GROUP BY f.note;

-- A restock's notification of somebody who signed up is asked for by that: from here on it is judged
-- as any other.
INSERT INTO facts (note, channel, part, name, sure, sign_up, user, type)
SELECT t.note, wanted, 1, concat(t.notification, ':', wanted), if(has(s.certain, wanted), s.sure, 2), 1,
    t.user, 'BACK_IN_STOCK'
FROM told AS t
INNER JOIN sign_ups AS s ON t.user = s.user AND t.sku = s.sku
ARRAY JOIN CAST(s.channels, 'Array(String)') AS wanted;

INSERT INTO deliveries
SELECT
    note, channel,
    argMax(name, name != ''),
    max(sure),
    max(sign_up),
    if(countIf(part = 1) > 0, anyIf(user, part = 1), anyIf(user, part = 3)),
    if(countIf(part = 1) > 0, anyIf(type, part = 1), any(type)),
    anyIf(priority, part = 1),
    minIf(began, part = 1),
    minIf(at, part = 1 AND facts.sure = 3 AND facts.sign_up = 0),
    maxIf(deadline, part = 1),
    maxIf(marketing, part = 1),
    groupArrayIf((at, address, way), part = 2),
    groupUniqArrayIf(state, part = 3),
    anyIf(reason, part = 3),
    maxIf(at, part = 3),
    maxIf(attempt, part = 3)
FROM facts
GROUP BY note, channel
SETTINGS optimize_aggregation_in_order = 1;

-- What was sent or ended on a channel, and nobody had asked for there. `elsewhere`: they had asked for
-- the notification, on another channel. Codes of people who never learned the name of one are not
-- strange: Tocsin names them, and an answer was lost.
INSERT INTO strangers
SELECT note, name, if(empty(receipts), ended_at, arrayMin(receipts.at)), length(receipts), states, sure,
    note IN
    (
        SELECT note FROM deliveries
        WHERE sure >= 2 AND note IN
            (SELECT note FROM deliveries WHERE sure < 2 AND (notEmpty(receipts) OR notEmpty(states)))
    )
FROM deliveries
WHERE sure < 2 AND (notEmpty(receipts) OR notEmpty(states))
    AND NOT (type = 'OTP' AND user IN
        (SELECT user FROM asked WHERE kind = 'otp' AND sure = 2 AND id = ''));
