"""ClickHouse: the embedded engine, the schema, the writer, the audit and the named queries."""
