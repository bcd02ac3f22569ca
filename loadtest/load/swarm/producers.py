"""Services of the shop that have something to tell people: one at a time, in batches, by Kafka."""

import time
from typing import Any

import msgspec

from loadtest.load import contents
from loadtest.load.call import Call
from loadtest.load.contents import Note
from loadtest.load.shapes import SHAPES
from loadtest.load.swarm.carrier import Answer, Carrier


def _means(call: Call, notes: list[Note]) -> None:
    for note in notes:
        call.means(
            "notification", id=note.notification_id, user=note.user_id, type=note.type,
            channels=note.channels, priority=note.priority,
        )  # fmt: skip


class Producer(Carrier):
    """Abstract: by HTTP."""

    abstract = True

    def notes(self, call: Call) -> list[Note]:
        """What the call is to hold."""
        crew, low = self.mine, SHAPES[self.mine.plan.shape].low
        flow = crew.flow(self.stream)
        notes = contents.of_call(flow, call.job.number, crew.crowd, crew.seed, low)
        _means(call, notes)
        return notes


class OneByOne(Producer):
    """`POST /v1/notifications`."""

    stream = "rest"

    def make(self, call: Call) -> None:
        (note,) = self.notes(call)
        answer = self.ask("POST", "/v1/notifications", "/v1/notifications", note)
        call.end(answer.outcome, answer.status, answer.code)


class InBatches(Producer):
    """`POST /v1/notifications:batch`."""

    stream = "batch"

    def make(self, call: Call) -> None:
        path = "/v1/notifications:batch"
        answer = self.ask("POST", path, path, {"requests": self.notes(call)})
        call.end(answer.outcome, answer.status, answer.code, _refused(answer))


class ByKafka(Carrier):
    """`notification.requests` and its lanes, many in a record."""

    stream = "kafka"

    def make(self, call: Call) -> None:
        crew, low = self.mine, SHAPES[self.mine.plan.shape].low
        topic, partition, notes = contents.of_record(
            crew.flow(self.stream), call.job.number, crew.crowd, crew.seed, low,
            crew.settings.partitions,
        )  # fmt: skip
        _means(call, notes)
        began = time.time()
        value: Any = {"requests": notes}
        outcome, code = crew.records.send(topic, partition, msgspec.json.encode(value))
        call.end(outcome, code=code)
        self.told(topic, "KAFKA", time.time() - began, code)


def _refused(answer: Answer) -> frozenset[int]:
    """Places of a batch that were not taken."""
    ids = answer.field("notification_ids") or ()
    return frozenset(place for place, given in enumerate(ids) if given is None)
