"""Migrations: again, half of one, from an older release; no row is lost on the way."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from analytics.migrate import DIRECTORY, load, migrate, rendered, statements, steps
from analytics.writer.eraser import statement
from analytics.writer.forgotten import CLEARED
from tests.integration.clickhouse import start, start_engine, stop, url_of
from tests.integration.conftest import free_port
from tests.integration.test_analytics_schema import AT
from tocsin.errors import ConfigError
from tocsin.settings import Settings

pytestmark = pytest.mark.integration


async def test_migrating_again_changes_nothing(clickhouse: AsyncClient) -> None:
    applied = await clickhouse.query("SELECT version FROM tocsin.migrations FINAL ORDER BY version")
    assert [version for (version,) in applied.result_rows] == [m.version for m in load()]
    assert await migrate(clickhouse) == []


async def test_the_command_says_what_it_did(clickhouse_settings: Settings) -> None:
    process = start("analytics.migrate", clickhouse_settings)
    assert "schema up to date" in process.communicate(timeout=30)[0]
    assert process.returncode == 0


async def test_dying_half_way_is_harmless(clickhouse: AsyncClient, tmp_path: Path) -> None:
    for migration in load(DIRECTORY):
        (tmp_path / f"{migration.name}.sql").write_text(migration.text)
    number = len(load(tmp_path)) + 1
    (tmp_path / f"{number:04}_more.sql").write_text(
        "CREATE TABLE IF NOT EXISTS tocsin.more $cluster (a Int8) ENGINE = $replacing ORDER BY a;\n"
        "CREATE OR REPLACE VIEW tocsin.most $cluster AS SELECT max(a) FROM tocsin.more;\n"
    )
    try:
        text = load(tmp_path)[-1].text
        await clickhouse.command(statements(rendered(text))[0])
        assert await migrate(clickhouse, tmp_path) == [f"{number:04}_more"]
        assert await migrate(clickhouse, tmp_path) == []
        (tmp_path / f"{number:04}_more.sql").write_text("SELECT 1;\n")
        with pytest.raises(ConfigError, match="was changed"):
            await migrate(clickhouse, tmp_path)
    finally:
        await clickhouse.command("DROP TABLE tocsin.more")
        await clickhouse.command("DROP VIEW tocsin.most")
        await clickhouse.command(f"ALTER TABLE tocsin.migrations DELETE WHERE version = {number}",
                                 settings={"mutations_sync": 1})  # fmt: skip


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """An engine of its own, with nothing in it."""
    port = free_port()
    engine = start_engine(port, tmp_path / "data", tmp_path)
    client = await connect(Settings(clickhouse_url=url_of(port)), database="default")
    try:
        yield client
    finally:
        await client.close()
        stop(engine)


def older(count: int, directory: Path) -> Path:
    """The first migrations: the schema of an older release."""
    directory.mkdir()
    for migration in load()[:count]:
        (directory / f"{migration.name}.sql").write_text(migration.text)
    return directory


ENDS = [
    ["a:push", "a", "push", "delivered", "projects/x/messages/1"],
    ["a:email", "a", "email", "delivered", "<YTplbWFpbA@shop.example>"],
    ["b:email", "b", "email", "failed", "<YTplbWFpbA@shop.example>"],
    ["own", "c", "sms", "delivered", "SM1"],
    ["d:inapp", "d", "inapp", "acked", ""],
]
"""delivery_id, notification_id, channel, state, provider_message_id. The second message id is made
of its delivery's id, the third of another's."""

_ENDS: Final = ["delivery_id", "notification_id", "channel", "state", "provider_message_id"]


async def plant(client: AsyncClient) -> None:
    """Rows as the first release wrote them."""
    for table, rows in (("deliveries", ENDS), ("accepted", [end[:3] for end in ENDS[:4]])):
        names = [*_ENDS[: len(rows[0])], "accepted_at", "at"]
        await client.insert(table, [[*row, AT, AT] for row in rows], names, "tocsin")
    names = ["notification_id", "accepted_at", "due_at"]
    await client.insert("requests", [[name, AT, AT] for name in "abcd"], names, "tocsin")


async def planted(client: AsyncClient) -> list[Any]:
    found = await client.query(
        f"SELECT {', '.join(_ENDS)} FROM tocsin.deliveries FINAL WHERE at = {{at:DateTime64(3)}}"
        " ORDER BY notification_id, channel DESC", {"at": AT}
    )  # fmt: skip
    return [list(row) for row in found.result_rows]


async def test_every_migration_may_die_anywhere_and_run_again(
    bare: AsyncClient, tmp_path: Path
) -> None:
    await migrate(bare, older(1, tmp_path / "old"))
    await plant(bare)
    for migration in load()[1:]:
        told = steps(migration)
        # what makes a difference: before and after rows were copied, tables exchanged or dropped
        deaths = [n for n, step in enumerate(told) if step.startswith(("INSERT", "EXCH", "DROP"))]
        for count in (*deaths, len(told)):
            for step in told[:count]:
                await bare.command(step)
        assert await planted(bare) == ENDS, migration.name
    counts = await bare.query(
        "SELECT (SELECT count() FROM tocsin.accepted FINAL),"
        " (SELECT count() FROM tocsin.requests FINAL)"
    )
    assert counts.result_rows == [(4, 4)]


async def test_the_engine_can_parse_what_a_cluster_is_told(clickhouse: AsyncClient) -> None:
    """No cluster is at hand: what can be asked of one engine is whether it is SQL."""
    told = [step for migration in load() for step in steps(migration, "main")]
    told += [statement(table, "main") for table in CLEARED]
    parsed = await clickhouse.query(
        "SELECT formatQuery(arrayJoin({told:Array(String)}))", {"told": told}
    )
    assert len(parsed.result_rows) == len(told)
    made = " ".join(text for (text,) in parsed.result_rows)
    assert "ENGINE = ReplicatedSummingMergeTree(deliveries)" in made
    assert "ENGINE = ReplicatedReplacingMergeTree(earliness)" in made


async def test_no_row_of_an_older_release_is_lost(bare: AsyncClient, tmp_path: Path) -> None:
    await migrate(bare, older(4, tmp_path / "old"))
    await plant(bare)
    assert await migrate(bare) == [each.name for each in load()[4:]]
    assert await planted(bare) == ENDS
    stored = await bare.query(
        "SELECT other_id, message_id, mail_domain FROM tocsin.deliveries FINAL"
        " ORDER BY notification_id, channel DESC"
    )
    assert stored.result_rows == [
        ("", "projects/x/messages/1", ""), ("", "", "shop.example"),
        ("", "<YTplbWFpbA@shop.example>", ""), ("own", "SM1", ""), ("", "", ""),
    ]  # fmt: skip
    opened = await bare.query(
        "SELECT delivery_id, other_id FROM tocsin.accepted FINAL ORDER BY notification_id, channel"
    )
    assert opened.result_rows == [
        ("a:email", ""), ("a:push", ""), ("b:email", ""), ("own", "own")
    ]  # fmt: skip
    books = await bare.query("SELECT sum(accepted), sum(drift) FROM tocsin.conservation")
    assert books.result_rows == [(4, 0)]


async def test_rows_of_before_are_read_with_the_columns_of_today(tmp_path: Path) -> None:
    port = free_port()
    engine = start_engine(port, tmp_path / "data", tmp_path)
    client = await connect(Settings(clickhouse_url=url_of(port)), database="default")
    try:
        assert len(await migrate(client, older(2, tmp_path / "old"))) == 2
        end = ["d", "failed", AT]
        await client.insert("deliveries", [end], ["delivery_id", "state", "accepted_at"], "tocsin")
        letters = [["t", 1, "why", AT], ["t", 2, "why", AT]]
        await client.insert("dead_letters", letters, ["topic", "offset", "reason", "at"], "tocsin")
        assert await migrate(client) == [each.name for each in load()[2:]]
        await client.command("OPTIMIZE TABLE tocsin.deliveries FINAL")
        await client.command("OPTIMIZE TABLE tocsin.dead_letters FINAL")
        found = await client.query(
            "SELECT delivery_id, template_version, (SELECT count() FROM tocsin.dead_letters"
            " WHERE notification_id = '') FROM tocsin.deliveries FINAL"
        )
        assert found.result_rows == [("d", 0, 2)]
    finally:
        await client.close()
        stop(engine)
