"""The embedded ClickHouse: chDB in one process, behind ClickHouse's HTTP interface."""
