-- Of the same id, the one that was accepted first.
INSERT INTO requests (id, at, seen, request) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET at = excluded.at, seen = excluded.seen, request = excluded.request
WHERE excluded.at < requests.at;
