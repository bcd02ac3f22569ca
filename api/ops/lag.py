"""The consumer groups' lag, over connections that are kept from the first time somebody asks."""

from collections.abc import Mapping

from tocsin.lag import LagMeter
from tocsin.settings import Settings

Lag = Mapping[tuple[str, str], int]
"""Records not yet finished, by (group, topic)."""


class LagWatch:
    """One meter. Ask one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._meter: LagMeter | None = None

    async def ask(self) -> Lag:
        """A measurement. Raises what Kafka raises while it is away; the next one connects anew."""
        try:
            return (await (await self._opened()).positions()).lag()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the connections."""
        meter, self._meter = self._meter, None
        if meter is not None:
            await meter.__aexit__()

    async def _opened(self) -> LagMeter:
        if self._meter is None:
            self._meter = LagMeter(self._settings)
            await self._meter.__aenter__()
        return self._meter
