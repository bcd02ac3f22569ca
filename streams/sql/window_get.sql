-- rowid: among equals, as they stood in the log
SELECT at, seen, request FROM requests ORDER BY at, rowid;
