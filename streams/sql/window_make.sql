-- Scratch that nobody else sees: nothing of it needs to survive. At most 32 MB of it in memory, and as much again while sorting.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32768;
-- at, seen: when it was accepted, and when the router could first see it (microseconds since 1970, UTC)
CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    request BLOB NOT NULL
);
