-- Marketing that was received although its person had opted out of it.
SELECT 1 AS units, r.at AS at, concat(d.name, ': ', d.type, ' received ',
    toString(round(r.at - o.at, 1)), ' s after the opt-out') AS example
FROM deliveries AS d
ARRAY JOIN receipts AS r
INNER JOIN opt_outs AS o ON d.user = o.user AND d.channel = o.channel
WHERE d.sure >= 2 AND d.marketing AND r.at > o.at + {grace:Float64}
