"""Kafka to ClickHouse: blocks that are the same when they are sent again."""
