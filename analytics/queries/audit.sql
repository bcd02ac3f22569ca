-- Everything that is not exactly one end of one asked-for delivery, by kind.
-- conflict: two different ends. phantom: an end nobody asked for. unsettled: the same, too young to
-- tell (its request may be a block behind). in_flight and unrouted become lost after a while.
SELECT
    kind,
    count() AS found,
    min(since) AS oldest,
    groupArraySorted(20)((since, id, detail)) AS first
FROM
(
    SELECT
        multiIf(
            length(states) > 1, 'conflict',
            notEmpty(states), if(at < {settled:DateTime64(3, 'UTC')}, 'phantom', 'unsettled'),
            accepted_at < {lost:DateTime64(3, 'UTC')}, 'lost_delivery',
            'in_flight'
        ) AS kind,
        if(empty(states), accepted_at, at) AS since,
        delivery_id AS id,
        if(empty(states), concat(type, ' by ', channel), arrayStringConcat(states, ', ')) AS detail
    FROM tocsin.delivery_states
    WHERE length(states) != 1
        OR (opened = 0 AND notification_id NOT IN (SELECT notification_id FROM tocsin.requests))
    UNION ALL
    SELECT
        if(due_at < {lost:DateTime64(3, 'UTC')}, 'lost_request', 'unrouted') AS kind,
        due_at AS since,
        notification_id AS id,
        concat(type, ' at ', topic, ':', toString(partition), ':', toString(offset)) AS detail
    FROM tocsin.unrouted
)
GROUP BY kind
ORDER BY kind;
