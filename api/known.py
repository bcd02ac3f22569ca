"""Does this person exist? Asked by every notification, answered by the batch."""

import asyncio
from collections.abc import Sequence

from tocsin.store import Profiles


class KnownUsers:
    """Concurrent questions share a call: while one is on its way, the next ones gather."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._asked: dict[str, list[asyncio.Future[bool]]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def one(self, user_id: str) -> bool:
        """Whether the person is registered. Raises what the store raises."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(user_id, []).append(answer)
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer())
        return await answer

    async def _answer(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            answers: Sequence[bool | Exception]
            try:
                answers = await self._profiles.known(list(asked))
            except Exception as error:  # each of those who ask handles it
                answers = [error] * len(asked)
            for futures, answer in zip(asked.values(), answers, strict=True):
                _tell(futures, answer)
        self._answering = None


def _tell(futures: list[asyncio.Future[bool]], answer: bool | Exception) -> None:
    """Whoever has left in the meantime is passed over."""
    for future in futures:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
