"""Ten open consoles cost one question."""

import asyncio

import pytest

from api.lately import Lately


class Books:
    """Counts what it is asked; answers when it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.now = 0.0
        self.away = False
        self.lately = Lately(self.answer, 1.0, lambda: self.now)

    async def answer(self, key: str) -> str:
        self.asked.append(key)
        await self.open.wait()
        if self.away:
            raise ConnectionError(key)
        return f"{key}{len(self.asked)}"


async def test_all_who_ask_at_once_get_one_answer() -> None:
    books = Books()
    waiting = [asyncio.create_task(books.lately.get("a")) for _ in range(10)]
    await asyncio.sleep(0)
    books.open.set()
    assert await asyncio.gather(*waiting) == ["a1"] * 10
    assert await books.lately.get("b") == "b2"


async def test_an_answer_lasts_a_second() -> None:
    books = Books()
    books.open.set()
    assert await books.lately.get("a") == "a1"
    books.now = 0.9
    assert await books.lately.get("a") == "a1"
    books.now = 1.0
    assert await books.lately.get("a") == "a2"


async def test_whoever_goes_away_takes_the_answer_from_nobody() -> None:
    books = Books()
    first = asyncio.create_task(books.lately.get("a"))
    second = asyncio.create_task(books.lately.get("a"))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    books.open.set()
    assert await second == "a1"


async def test_what_is_away_is_not_asked_more_often_and_is_asked_again() -> None:
    books = Books()
    books.open.set()
    books.away = True
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await books.lately.get("a")
    assert books.asked == ["a"]
    books.away, books.now = False, 1.0
    assert await books.lately.get("a") == "a2"
