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
        """A measurement. Raises what Kafka raises while it is away; the next one connects anew.

        Whoever had no patience left lets go of nothing: on a real Kafka the first measurement takes
        some seconds, and those after it, over the same connections, some milliseconds.
        """
        try:
            return (await (await self._opened()).positions()).lag()
        except Exception:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the connections."""
        meter, self._meter = self._meter, None
        if meter is not None:
            await meter.__aexit__()

    async def _opened(self) -> LagMeter:
        if self._meter is None:
            meter = LagMeter(self._settings)
            try:
                await meter.__aenter__()
            except BaseException:
                await meter.__aexit__()
                raise
            self._meter = meter
        return self._meter
