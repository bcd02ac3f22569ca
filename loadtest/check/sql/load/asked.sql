-- The histories of the clients, and what they asked for.

INSERT INTO types
WITH arrayJoin(JSONExtract({types:String}, 'Array(Tuple(String, Array(String), Float64, Bool))')) AS t
SELECT t.1, t.2, t.3, t.4;

-- A kill cuts a line, and a worker that goes on with the file writes behind the cut: what comes after
-- the last {"kind": is a line of its own.
INSERT INTO asked
WITH
    '{"kind":' AS head,
    position(line, head, 2) > 0 AS joined,
    if(joined, substring(line, length(line) - position(reverse(line), reverse(head)) - length(head) + 2),
        line) AS piece,
    JSONExtract(piece, 'Tuple(kind String, began Float64, ended Float64, outcome String, id String,
        user String, type String, channels Array(String), priority String, sku String,
        expires_at Float64, quiet_from Float64, quiet_until Float64, available Int64)') AS r
SELECT
    r.kind,
    joined OR r.kind = '',
    NOT (startsWith(line, head) OR startsWith(head, line)),
    r.began,
    r.ended,
    transform(r.outcome, ['accepted', 'unknown', 'refused'], [3, 2, 1], 0),
    r.id,
    cityHash64(r.user),
    multiIf(r.kind = 'otp', 'OTP', r.kind = 'sign_up', 'BACK_IN_STOCK', r.type),
    r.channels,
    multiIf(r.kind = 'otp', 'critical', r.priority = '', 'normal', r.priority),
    cityHash64(r.sku),
    r.expires_at,
    r.quiet_from,
    r.quiet_until,
    r.available
FROM file({asked:String}, 'LineAsString', 'line String')
WHERE r.kind NOT IN ('click', 'connect', 'ask');

INSERT INTO facts (note, channel, part, name, sure, user, type, priority, began, at, deadline,
    marketing)
SELECT
    cityHash64(a.id), wanted, 1, concat(a.id, ':', wanted), a.sure, a.user, a.type, a.priority, a.began,
    a.ended, if(a.expires_at > 0, a.expires_at, a.ended + if(t.type = '', other.lifetime, t.lifetime)),
    t.marketing
FROM asked AS a
LEFT JOIN types AS t ON a.type = t.type
CROSS JOIN (SELECT lifetime, channels FROM types WHERE type = 'OTHER') AS other
ARRAY JOIN multiIf(notEmpty(a.channels), CAST(a.channels, 'Array(String)'), t.type != '', t.channels,
    other.channels) AS wanted
WHERE a.kind IN ('notification', 'otp') AND a.sure > 0 AND a.id != '';
