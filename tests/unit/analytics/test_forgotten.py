"""Which tables the eraser has to look through."""

import pytest

from analytics.writer.forgotten import CLEARED, PERSONAL, Forgotten
from analytics.writer.rows import Erasure, Request
from analytics.writer.tables import (
    DEAD_LETTERS,
    ERASURES,
    INVENTORY,
    REQUESTS,
    TABLES,
    Table,
)

FOR_EVER = 10**13


@pytest.fixture
def forgotten() -> Forgotten:
    """Knows of ada, who is gone, and of bob, who came back at 500; nothing is left to do."""
    made = Forgotten()
    made.learn({"ada": FOR_EVER, "bob": 500})
    for table in CLEARED:
        made.clear(table)
    return made


def wrote(forgotten: Forgotten, user_id: str, at: int) -> list[Table]:
    row = Request("n", user_id, "T", at, at, "notification.requests", 0, 1)
    forgotten.wrote(REQUESTS, REQUESTS.fill([row]))
    return forgotten.suspects


def test_every_table_that_names_people_is_cleared() -> None:
    named = {table for table in TABLES if "user_id" in table.names} - {ERASURES}
    assert named == set(PERSONAL)
    assert all(PERSONAL[table] in table.names for table in named)


def test_somebody_new_puts_every_table_under_suspicion(forgotten: Forgotten) -> None:
    assert forgotten.suspects == []
    forgotten.learn({"ada": FOR_EVER, "bob": 500})
    assert forgotten.suspects == []
    forgotten.learn({"ada": FOR_EVER, "bob": 500, "cy": FOR_EVER})
    assert forgotten.suspects == list(CLEARED)


def test_who_is_erased_again_does_too(forgotten: Forgotten) -> None:
    forgotten.learn({"ada": FOR_EVER, "bob": FOR_EVER})
    assert forgotten.suspects == list(CLEARED)


def test_who_came_back_or_is_forgotten_here_too_does_not(forgotten: Forgotten) -> None:
    forgotten.learn({"ada": 700})
    assert forgotten.suspects == []
    assert wrote(forgotten, "bob", 400) == []


@pytest.mark.parametrize(
    ("user_id", "at", "suspected"),
    [("ada", 10**12, True), ("bob", 499, True), ("bob", 500, False), ("cy", 1, False)],
)
def test_late_rows_are_noticed(
    forgotten: Forgotten, user_id: str, at: int, suspected: bool
) -> None:
    assert wrote(forgotten, user_id, at) == ([REQUESTS] if suspected else [])


def test_what_is_written_while_a_table_is_looked_through_counts_anew(forgotten: Forgotten) -> None:
    wrote(forgotten, "ada", 1)
    forgotten.clear(REQUESTS)
    assert wrote(forgotten, "ada", 2) == [REQUESTS]


def test_a_letter_is_looked_into_only_when_somebody_is_to_be_forgotten(
    forgotten: Forgotten,
) -> None:
    forgotten.wrote(INVENTORY, [["x"]] * len(INVENTORY.names))
    forgotten.wrote(DEAD_LETTERS, [["x"]] * len(DEAD_LETTERS.names))
    assert forgotten.suspects == [DEAD_LETTERS]
    nobody = Forgotten()
    nobody.wrote(DEAD_LETTERS, [["x"]] * len(DEAD_LETTERS.names))
    assert nobody.suspects == []


@pytest.mark.parametrize(("back", "news"), [(True, False), (False, True)])
def test_an_erasure_is_news_and_a_registration_is_not(back: bool, news: bool) -> None:
    forgotten = Forgotten()
    forgotten.wrote(ERASURES, ERASURES.fill([Erasure("ada", 1, back)]))
    assert forgotten.news.is_set() is news
