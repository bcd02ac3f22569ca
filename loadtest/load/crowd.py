"""The people of a run, by number. Made from the run's name: nothing is handed over but that."""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Final

from loadtest.load.run_dir import Person
from loadtest.people import person
from tocsin.kafka import partition_for
from tocsin.records import Profile

_PHONES: Final = 80_000
"""Consecutive people whose phones differ: whoever logs in is one of the first so many."""


class Crowd:
    """`count` people. The last ones are kept for opt-outs and quiet hours, one each."""

    def __init__(self, run: str, count: int, opt_outs: int, nights: int) -> None:
        self._run, self.count = run, count
        self._opt_outs, self._nights = opt_outs, nights
        self._left: list[str] = []

    def user(self, number: int) -> str:
        """Somebody's id."""
        return f"{self._run}-{number % self.count:07d}"

    def profile(self, number: int) -> Profile:
        """Somebody as registered."""
        return person(self.user(number))

    def to_log_in(self, number: int) -> str:
        """Whoever logs in by that number: far from the last ones, for a code is refused for a while
        after another."""
        return self.user(number * 7 % min(self.count, _PHONES))

    def to_opt_out(self, number: int) -> str:
        """The opt-out of that number is this person's."""
        return self.user(self.count - 1 - number % self._opt_outs)

    def to_sleep(self, number: int) -> str:
        """The quiet hours of that number are this person's."""
        return self.user(self.count - 1 - self._opt_outs - number % self._nights)

    def left(self, user: str) -> None:
        """Opted out: now and then told something nevertheless, which must not arrive."""
        self._left.append(user)

    def anyone(self, random: Random, partition: int | None = None, partitions: int = 1) -> str:
        """Somebody to tell something; with `partition`, one whose requests go there."""
        if partition is None:
            if self._left and random.random() < 0.01:
                return random.choice(self._left)
            return self.user(random.randrange(self.count))
        while True:
            number = random.randrange(self.count)
            if _place(self._run, number, self.count, partitions) == partition:
                return self.user(number)

    def lines(self) -> Iterator[Person]:
        """What `people.jsonl` says of them."""
        for number in range(self.count):
            found = self.profile(number)
            tokens = tuple(device.token for device in found.devices.values())
            yield Person(found.user_id, tokens, found.phone or "", found.email or "")


@lru_cache(maxsize=1 << 18)
def _place(run: str, number: int, count: int, partitions: int) -> int:
    return partition_for(f"{run}-{number % count:07d}", partitions)
