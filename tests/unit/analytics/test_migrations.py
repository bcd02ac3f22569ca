"""Migration files and how they are rendered."""

from pathlib import Path

import pytest

from analytics.migrate import DIRECTORY, load, rendered, statements
from tocsin.errors import ConfigError

REPEATABLE = (
    "IF NOT EXISTS", "OR REPLACE", "IF EXISTS", "MODIFY TTL",
    # tables made from scratch above, by the same file, and swapped for the ones they are copies of
    "_made_again", "INSERT INTO tocsin.rollup_touches",
)  # fmt: skip


def test_the_migrations_are_numbered_without_a_gap() -> None:
    assert [each.version for each in load()] == list(range(1, len(list(DIRECTORY.iterdir())) + 1))


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0002_x.sql").write_text("SELECT 1;\n")
    with pytest.raises(ConfigError, match="not numbered"):
        load(tmp_path)


def test_every_statement_may_be_repeated() -> None:
    for migration in load():
        for statement in statements(migration.text):
            code = " ".join(x for x in statement.splitlines() if not x.startswith("--"))
            assert any(word in code for word in REPEATABLE), code


def test_every_table_deduplicates_blocks_by_token() -> None:
    tables = [s for m in load() for s in statements(m.text) if "CREATE TABLE" in s]
    assert len(tables) == 18
    assert all("non_replicated_deduplication_window" in table for table in tables)


def test_one_name_makes_it_a_cluster() -> None:
    text = "CREATE TABLE t $cluster (a Int8) ENGINE = $replacing ORDER BY a"
    assert rendered(text) == "CREATE TABLE t  (a Int8) ENGINE = ReplacingMergeTree ORDER BY a"
    assert rendered(text, "main") == (
        "CREATE TABLE t ON CLUSTER 'main' (a Int8) ENGINE = ReplicatedReplacingMergeTree ORDER BY a"
    )


def test_a_file_of_comments_has_no_statement() -> None:
    assert statements("-- nothing\n") == []
    assert statements("-- one\nSELECT 1;\n\n-- two\nSELECT ';';\n") == [
        "-- one\nSELECT 1",
        "-- two\nSELECT ';'",
    ]
