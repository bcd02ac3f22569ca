"""Dead letters: which there are, what became of each, and how one is put back."""

import asyncio
import base64
from bisect import bisect_left, insort
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from tocsin.errors import Invalid
from tocsin.ids import derived_id
from tocsin.kafka import PLACE_HEADER
from tocsin.log import read_all
from tocsin.records import DeadLetter, decode, encode
from tocsin.settings import Settings
from tocsin.topics import DEAD

MOST: Final = 100_000
MOST_CHARACTERS: Final = 96_000_000
"""What a pile keeps, of letters and of their payloads; beyond it the oldest are left out."""

Key = tuple[int, str]
"""A letter's place in the order of time: when it was buried (ms), and its name."""


def place_of(letter: DeadLetter) -> str:
    """Where its record was read: ``topic:partition:offset``. Several letters may be about one."""
    return f"{letter.topic}:{letter.partition}:{letter.offset}"


def name_of(letter: DeadLetter) -> str:
    """The same for the same complaint about the same record, in every copy of the letter."""
    parts = letter.error, letter.field, letter.reason, letter.notification_id
    return derived_id("dead", place_of(letter), *parts)


def payload_of(letter: DeadLetter) -> bytes | None:
    """The record it is about; None of a letter that is not of ours and holds something else."""
    try:
        return base64.b64decode(letter.payload_b64, validate=True)
    except ValueError:
        return None


def newer(one: DeadLetter | None, other: DeadLetter) -> DeadLetter:
    """Of two copies the one last put back: a record read again after a crash is buried again, as
    it was."""
    if one is None or one.put_back_at is None:
        return other
    return max(one, other, key=lambda letter: letter.put_back_at or one.at)


class Page(NamedTuple):
    """Letters, newest first, and the key after which the next page begins; None on the last."""

    letters: Sequence[DeadLetter]
    after: Key | None


class Pile:
    """Letters in order of time, each once, whatever the order they are taken in."""

    def __init__(self, most: int = MOST, most_characters: int = MOST_CHARACTERS) -> None:
        self._most, self._room = most, most_characters
        self._letters: dict[str, DeadLetter] = {}
        self._order: list[Key] = []
        self._at: dict[str, set[str]] = {}
        self.open = 0

    def take(self, letter: DeadLetter) -> None:
        """A letter or a newer copy of one."""
        name = name_of(letter)
        old = self._letters.get(name)
        if (kept := newer(old, letter)) is old:
            return
        if old is not None:
            self._forget(name, old)
        self._letters[name] = kept
        insort(self._order, _key(name, kept))
        self._at.setdefault(place_of(kept), set()).add(name)
        self.open += kept.put_back_at is None
        self._room -= len(kept.payload_b64)
        while len(self._order) > self._most or (self._room < 0 and len(self._order) > 1):
            oldest = self._order[0][1]
            self._forget(oldest, self._letters[oldest])

    def at(self, place: str) -> list[DeadLetter]:
        """Every letter about the record that was read there."""
        return [self._letters[name] for name in sorted(self._at.get(place, ()))]

    def page(
        self, limit: int, after: Key | None = None, topic: str = "", only_open: bool = True
    ) -> Page:
        """Up to `limit` letters of a topic (empty: of all)."""
        found: list[DeadLetter] = []
        last: Key | None = None
        for key in self._older(after):
            letter = self._letters[key[1]]
            if topic not in ("", letter.topic) or (only_open and letter.put_back_at):
                continue
            if len(found) == limit:
                return Page(found, last)
            found.append(letter)
            last = key
        return Page(found, None)

    def all(self) -> list[DeadLetter]:
        """Oldest first."""
        return [self._letters[name] for _, name in self._order]

    def _older(self, after: Key | None) -> Iterator[Key]:
        end = len(self._order) if after is None else bisect_left(self._order, after)
        return (self._order[i] for i in range(end - 1, -1, -1))

    def _forget(self, name: str, letter: DeadLetter) -> None:
        del self._letters[name]
        del self._order[bisect_left(self._order, _key(name, letter))]
        names = self._at[place_of(letter)]
        names.discard(name)
        if not names:
            del self._at[place_of(letter)]
        self.open -= letter.put_back_at is None
        self._room += len(letter.payload_b64)


def _key(name: str, letter: DeadLetter) -> Key:
    return int(letter.at.timestamp() * 1000), name


def read_letter(value: bytes | None) -> DeadLetter | None:
    """The letter a record holds; None of somebody else's record on our topic."""
    with suppress(Invalid):
        return decode(DeadLetter, value or b"")
    return None


async def letters(settings: Settings) -> list[DeadLetter]:
    """Every letter the topic has, oldest first; of one that was put back the copy that says so."""
    pile = Pile(2**63, 2**63)
    async for record in read_all(settings, DEAD):
        if letter := read_letter(record.value):
            pile.take(letter)
    return pile.all()


async def put_back(
    producer: AIOKafkaProducer, chosen: Collection[DeadLetter], now: datetime
) -> list[DeadLetter]:
    """Produce the payloads to the partitions they came from, then note that this was done.

    Returns the copies that say so, when all is durable. What was already acted on is recognised
    downstream by its id and place, so putting back twice is harmless.
    """
    # several letters may be about one record, of which each has the whole
    payloads = {(place_of(x), x.payload_b64): x for x in chosen}
    sent = [
        await producer.send(
            letter.topic,
            payload_of(letter) or b"",
            partition=letter.partition,
            headers=[(PLACE_HEADER, place_of(letter).encode())],
        )
        for letter in payloads.values()
    ]
    await asyncio.gather(*sent)
    noted = [replace(letter, put_back_at=now) for letter in chosen]
    notes = [
        await producer.send(DEAD.name, encode(letter), key=place_of(letter).encode())
        for letter in noted
    ]
    await asyncio.gather(*notes)
    return noted
