"""Taking a notification back: the log first, then the store, which says what it comes too late for.

Who may be cancelled: whatever anybody has heard of. That is what ClickHouse has on record, what the
router, a sender or an earlier cancellation has left in the store, and what was accepted a moment
ago and is not routed yet: an id made here says so itself (ids.is_marked), one that the caller chose
was noted when it was accepted. A request that a producer wrote to Kafka directly is unknown until
it is routed.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from api.figures import Figures
from api.publish import Publish
from api.status import NotificationStatus, deliveries_of, merge
from tocsin.clock import Clock
from tocsin.errors import EngineUnavailable, Refused
from tocsin.ids import is_marked
from tocsin.records import CHANNELS, TERMINAL, Cancellation, Channel, State, encode
from tocsin.store import Cancellations
from tocsin.store.schedule import Schedule
from tocsin.topics import CANCELLATIONS

Verdict = Literal["cancelled", "too_late"]

_NO_CLAIMS: Final = (None,) * len(CHANNELS)


class Cancelled(msgspec.Struct, frozen=True):
    """`cancelled`: nothing goes out on that channel any more. `too_late`: it is being sent right
    now, or has ended. `state` sums them up.

    `channels` are those it goes to; while that is not on record yet, all there are. `complete` is
    false while ClickHouse is away: then what ended more than 6 hours ago passes for cancelled.
    """

    notification_id: str
    state: Literal["cancelled", "partly"]
    complete: bool
    channels: Mapping[str, Verdict]


class Cancel:
    """Asking twice is asking once."""

    def __init__(
        self,
        cancellations: Cancellations,
        schedule: Schedule,
        figures: Figures,
        publish: Publish,
        clock: Clock,
    ) -> None:
        self._cancellations, self._schedule, self._figures = cancellations, schedule, figures
        self._publish, self._clock = publish, clock

    async def take_back(self, notification_id: str, by: str) -> Cancelled:
        """Durable when it returns. Raises `Refused`: "not_found", or "too_late" on all channels.

        Raises `EngineUnavailable` for an id that only ClickHouse, which is away, might know. A
        crash between log and store leaves a line that nobody was told of; asking again writes both.
        """
        status, away = await self._on_record(notification_id)
        if not (
            status
            or is_marked(notification_id)
            or await self._cancellations.heard_of(notification_id)
        ):
            raise away or Refused("not_found", f"there is no notification {notification_id!r}")
        user_id = status.user_id if status and status.user_id else ""
        line = Cancellation(notification_id, self._clock.now(), by)
        await self._publish.one(CANCELLATIONS, notification_id, encode(line))
        late = await self._cancellations.cancel(notification_id)
        if user_id:
            # it need not wait for its hour to be over
            await self._schedule.hasten(user_id, notification_id)
        states = {c: each.state for c, each in status.channels.items()} if status else {}
        return answer(notification_id, states, late, complete=away is None)

    async def _on_record(
        self, notification_id: str
    ) -> tuple[NotificationStatus | None, EngineUnavailable | None]:
        deliveries = deliveries_of(notification_id)
        try:
            rows = await self._figures.notification(notification_id, deliveries)
        except EngineUnavailable as error:
            return None, error
        return merge(notification_id, rows, _NO_CLAIMS), None


def answer(
    notification_id: str, states: Mapping[str, str], late: Mapping[Channel, bool], complete: bool
) -> Cancelled:
    """`states` are those on record by channel, `late` what the store said. Raises `Refused`."""
    verdicts: dict[str, Verdict] = {
        channel.value: verdict(states.get(channel), late[channel])
        for channel in CHANNELS
        if not states or channel in states or late[channel]
    }
    lost = [channel for channel, each in verdicts.items() if each == "too_late"]
    if len(lost) == len(verdicts) and states:
        raise Refused("too_late", f"it is being sent right now, or has ended: {', '.join(lost)}")
    return Cancelled(notification_id, "partly" if lost else "cancelled", complete, verdicts)


def verdict(state: str | None, late: bool) -> Verdict:
    """What cancelling comes to for a delivery that is in `state` on record."""
    if state == State.CANCELLED:
        return "cancelled"
    return "too_late" if late or state in TERMINAL else "cancelled"
