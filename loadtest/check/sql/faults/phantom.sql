-- Received or ended, and nobody asked for it, or whoever asked was refused.
SELECT 1 AS units, at, concat(if(name = '', '(a receipt without a name)', name), ': ',
    if(sure = 1, 'refused, and ', 'not asked for, and '),
    if(receipts > 0, concat('received ', toString(receipts), ' times'),
        concat('ended as ', arrayStringConcat(states, ', ')))) AS example
FROM strangers
WHERE NOT elsewhere
