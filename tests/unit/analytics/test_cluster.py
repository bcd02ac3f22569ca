"""What the migrations come to on a cluster."""

import re

import pytest

from analytics.cluster import SHARDED_BY, distributed, placed
from analytics.migrate import load, steps
from analytics.writer.eraser import statement
from analytics.writer.tables import DELIVERIES, TABLES

TOLD = [step for migration in load() for step in steps(migration, "main")]


def test_without_a_cluster_nothing_is_different() -> None:
    assert placed("-- why\nCREATE TABLE tocsin.x (a Int8)", "") == [
        "-- why\nCREATE TABLE tocsin.x (a Int8)"
    ]


def test_a_table_is_on_every_shard_and_a_distributed_one_stands_over_it() -> None:
    text = "-- tocsin.x\nCREATE TABLE IF NOT EXISTS tocsin.inventory ON CLUSTER 'main' (a Int8)"
    assert placed(text, "main") == [
        "CREATE TABLE IF NOT EXISTS tocsin_shard.inventory ON CLUSTER 'main' (a Int8)",
        "CREATE OR REPLACE TABLE tocsin.inventory ON CLUSTER 'main' AS tocsin_shard.inventory"
        " ENGINE = Distributed('main', 'tocsin_shard', 'inventory', cityHash64(sku))",
    ]


def test_a_view_reads_the_distributed_tables() -> None:
    views = [step for step in TOLD if "CREATE OR REPLACE VIEW" in step]
    assert len(views) > 10
    assert not any("tocsin_shard" in view for view in views)


def test_what_counts_an_insert_works_where_the_rows_are() -> None:
    counting = [step for step in TOLD if step.startswith("CREATE MATERIALIZED VIEW")]
    assert len(counting) == 4
    assert not any(re.search(r"\btocsin\.", step) for step in counting)
    assert all("FROM tocsin_shard.deliveries\n" in step for step in counting)


def test_every_table_is_replicated_and_every_statement_is_for_all_servers() -> None:
    local = [step for step in TOLD if step.startswith("CREATE TABLE")]
    assert len(local) == 19
    assert all("ENGINE = Replicated" in step for step in local)
    for step in TOLD:
        assert "ON CLUSTER 'main'" in step or step.startswith("INSERT INTO"), step


def test_every_table_is_read_with_the_columns_it_has_in_the_end() -> None:
    last = {}
    for place, step in enumerate(TOLD):
        for table in SHARDED_BY:
            if step == distributed(table, "main"):
                last[table, "read"] = place
            elif re.match(rf"(CREATE|ALTER|EXCHANGE) TABLES?.* tocsin_shard\.{table}\b", step):
                last[table, "made"] = place
    for table in set(SHARDED_BY) - {"migrations"}:
        assert last[table, "read"] > last[table, "made"], table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_of_the_writer_has_a_place(table: object) -> None:
    assert getattr(table, "name", "") in SHARDED_BY


def test_people_are_erased_on_every_shard() -> None:
    assert statement(DELIVERIES).startswith("ALTER TABLE tocsin.deliveries\nUPDATE")
    assert statement(DELIVERIES, "main").startswith(
        "ALTER TABLE tocsin_shard.deliveries ON CLUSTER 'main'\nUPDATE"
    )
