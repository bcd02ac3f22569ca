-- Every id of these kinds (see audit.sql), the oldest first.
SELECT
    multiIf(
        shape IN ('conflict', 'dead'), shape,
        shape = 'unasked', if(since < {settled:DateTime64(3, 'UTC')}, 'phantom', 'unsettled'),
        shape = 'unended', if(awaited < {lost:DateTime64(3, 'UTC')}, 'lost_delivery', 'in_flight'),
        if(awaited < {lost:DateTime64(3, 'UTC')}, 'lost_request', 'unrouted')
    ) AS kind,
    since,
    id,
    detail
FROM tocsin.unbalanced
WHERE kind IN {kinds:Array(String)}
ORDER BY since, id;
