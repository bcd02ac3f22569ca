"""Whoever wrote to the log looks again: the log ends with what the view ends with."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from api.people import People
from tocsin.errors import StoreEmptied
from tocsin.records import Profile, decode
from tocsin.store.profiles import Step
from tocsin.topics import Topic

AT = datetime(2026, 11, 22, tzinfo=UTC)
ADA = Profile(user_id="ada", version=6, created_at=AT)


class View:
    """The store: answers of later looks, one after the other; the last one for ever."""

    def __init__(self, *later: Profile | None) -> None:
        self._later = list(later)

    async def change_many(self, steps: dict[str, Step]) -> list[Profile]:
        return [ADA]

    async def get_many(self, user_ids: Sequence[str]) -> list[Profile | None]:
        return [self._later.pop(0) if len(self._later) > 1 else self._later[0]]

    async def delete(self, user_id: str) -> bool:
        return True


class Log:
    def __init__(self) -> None:
        self.lines: list[int | None] = []

    async def one(self, topic: Topic, key: str, value: bytes | None) -> None:
        await self.many(topic, [(key, value)])

    async def many(self, topic: Topic, items: Iterable[tuple[str, bytes | None]]) -> None:
        self.lines += [decode(Profile, v).version if v else None for _, v in items]


async def changed(*later: Profile | None) -> list[int | None]:
    log = Log()
    people = People(View(*later), log)  # type: ignore[arg-type]
    assert await people.change("ada", lambda _: ADA) == ADA
    return log.lines


async def test_a_change_alone_is_written_once() -> None:
    assert await changed(ADA) == [6]


async def test_a_newer_version_is_written_after_it() -> None:
    assert await changed(replace(ADA, version=7)) == [6, 7]


async def test_who_was_erased_meanwhile_ends_as_a_tombstone() -> None:
    assert await changed(None) == [6, None]


async def test_who_was_erased_and_registered_anew_ends_as_the_new_one() -> None:
    anew = Profile(user_id="ada", version=1, created_at=AT.replace(hour=1))
    assert await changed(None, anew) == [6, None, 1]
    assert await changed(anew) == [6, 1]


@pytest.mark.parametrize("view", [replace(ADA, version=5), replace(ADA, name="another six")])
async def test_a_view_that_fell_back_is_no_success(view: Profile) -> None:
    with pytest.raises(StoreEmptied, match="ask again"):
        await changed(view)


async def test_erasing_somebody_who_registers_meanwhile_leaves_the_new_one() -> None:
    log = Log()
    anew = Profile(user_id="ada", version=1, created_at=AT)
    assert await People(View(anew), log).erase("ada")  # type: ignore[arg-type]
    assert log.lines == [None, 1]
