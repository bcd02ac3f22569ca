"""Stock changes into Kafka, straight to `inventory.changes`, many to a batch."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tocsin.errors import EngineUnavailable
from tocsin.kafka import partition_for
from tocsin.records import InventoryChange, encode
from tocsin.topics import INVENTORY

_TRIES: Final = 4
_cached_partition = lru_cache(maxsize=65_536)(partition_for)


class Stockroom:
    """A producer of stock changes. One SKU's changes keep their order."""

    def __init__(self, producer: AIOKafkaProducer, kafka_url: str) -> None:
        self._producer, self._url = producer, kafka_url

    async def tell(self, changes: Sequence[InventoryChange]) -> None:
        """Returns when every change is durable. Raises `EngineUnavailable`; some may then be in.

        A try that failed half-way is made again as a whole: event ids tell what is known already.
        """
        for left in reversed(range(_TRIES)):
            try:
                await self._try(changes)
                return
            except KafkaError as error:
                if not left:
                    said = f"it says {type(error).__name__}; start it, or set TOCSIN_KAFKA_URL"
                    raise EngineUnavailable("Kafka", self._url, said) from None

    async def _try(self, changes: Iterable[InventoryChange]) -> None:
        partitions = len(await self._producer.partitions_for(INVENTORY.name))
        sent = [
            await self._producer.send_batch(batch, INVENTORY.name, partition=partition)
            for partition, records in _by_partition(changes, partitions).items()
            for batch in self._batches(records)
        ]
        await asyncio.gather(*sent)

    def _batches(self, records: list[tuple[bytes, bytes]]) -> Iterator[object]:
        batch = self._producer.create_batch()
        for key, value in records:
            if batch.append(timestamp=None, key=key, value=value) is None:
                yield batch
                batch = self._producer.create_batch()
                batch.append(timestamp=None, key=key, value=value)
        yield batch


def _by_partition(
    changes: Iterable[InventoryChange], partitions: int
) -> dict[int, list[tuple[bytes, bytes]]]:
    found: defaultdict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
    for change in changes:
        place = _cached_partition(change.sku, partitions)
        found[place].append((change.sku.encode(), encode(change)))
    return found
