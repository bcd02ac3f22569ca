"""What the console's routes work with: one of each per process, connected when first asked."""

from typing import Self

from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from api.figures import Figures
from api.ops.books import Books
from api.ops.history import History
from api.ops.letters import DeadLetters
from api.ops.overview import Watch
from api.ops.waves import Waves
from tocsin.clock import Clock
from tocsin.settings import Settings


class Desk:
    """The parts, each with its own README in its first line."""

    def __init__(
        self, books: Books, watch: Watch, letters: DeadLetters, waves: Waves, history: History
    ) -> None:
        self.books, self.watch, self.letters = books, watch, letters
        self.waves, self.history = waves, history

    @classmethod
    def over(
        cls,
        settings: Settings,
        redis: Redis,
        producer: AIOKafkaProducer,
        figures: Figures,
        clock: Clock,
    ) -> Self:
        """Over the process's own clients; Kafka's reading side gets one of its own."""
        books, letters = Books(figures), DeadLetters(settings, producer, clock)
        watch = Watch(settings, redis, figures, books, letters, clock)
        return cls(books, watch, letters, Waves(books, redis), History(books, redis))

    async def close(self) -> None:
        """Let go of the connections."""
        await self.watch.close()
        await self.letters.close()
