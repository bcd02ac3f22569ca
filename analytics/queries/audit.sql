-- Everything that is not exactly one end of one asked-for delivery, by kind.
-- conflict: two different ends. phantom: an end nobody asked for. unsettled: the same, too young to
-- tell (its request may be a block behind). dead: a request that became a dead letter. in_flight
-- and unrouted become lost when what was to happen to them is long past.
SELECT
    multiIf(
        shape IN ('conflict', 'dead'), shape,
        shape = 'unasked', if(since < {settled:DateTime64(3, 'UTC')}, 'phantom', 'unsettled'),
        shape = 'unended', if(awaited < {lost:DateTime64(3, 'UTC')}, 'lost_delivery', 'in_flight'),
        if(awaited < {lost:DateTime64(3, 'UTC')}, 'lost_request', 'unrouted')
    ) AS kind,
    count() AS found,
    min(since) AS oldest,
    groupArraySorted(20)((since, id, detail)) AS first
FROM tocsin.unbalanced
GROUP BY kind
ORDER BY kind;
