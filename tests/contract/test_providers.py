"""What every provider keeps to: the fake one, and the real ones against the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from actors.message import Content, Message
from tests.contract.rigs import FakeRig, Rig, SandboxRig
from tests.unit.actors.makers import message
from tocsin.errors import AddressGone, Ambiguous, SendError, Transient
from tocsin.records import Priority


def to(rig: Rig, number: int | str = 1, **changes: Any) -> Message:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    fields: dict[str, Any] = {
        "address": rig.good, "delivery_id": f"n{number}:x", "expires_at": soon,
        "content": Content("Ihre Bestellung über 5 €", "Bestätigt", "<p>5 €</p>", "https://s/x"),
    }  # fmt: skip
    return message(number, **fields | changes)


class Suite:
    """The contract."""

    async def test_what_is_sent_arrives_once_under_its_name(self, rig: Rig) -> None:
        sent = await rig.provider.send(to(rig))
        assert sent.provider == rig.provider.name
        assert sent.provider_message_id
        assert await rig.received("n1:x") == 1

    async def test_a_dead_address_is_said_to_be_gone(self, rig: Rig) -> None:
        with pytest.raises(AddressGone) as found:
            await rig.provider.send(to(rig, address=rig.gone))
        assert found.value.provider == rig.provider.name
        assert rig.gone not in str(found.value)
        assert await rig.received("n1:x") == 0

    async def test_too_much_is_transient_and_the_wait_is_capped(self, rig: Rig) -> None:
        await rig.overload()
        with pytest.raises(Transient) as found:
            await rig.provider.send(to(rig))
        assert found.value.retry_after is None or 0 <= found.value.retry_after <= 300
        assert await rig.received("n1:x") == 0

    async def test_an_answer_lost_after_the_bytes_left_is_ambiguous(self, rig: Rig) -> None:
        await rig.lose_answers()
        with pytest.raises(Ambiguous) as found:
            await rig.provider.send(to(rig))
        assert rig.good not in str(found.value)
        assert await rig.received("n1:x") == 1

    async def test_after_a_fault_the_next_message_goes_out(self, rig: Rig) -> None:
        await rig.lose_answers()
        with pytest.raises(Ambiguous):
            await rig.provider.send(to(rig, 1))
        await rig.reset()
        await rig.provider.send(to(rig, 2))
        assert await rig.received("n2:x") == 1

    async def test_many_at_once_all_arrive(self, rig: Rig) -> None:
        answers = await asyncio.gather(*(rig.provider.send(to(rig, i)) for i in range(60)))
        assert len({sent.provider_message_id for sent in answers}) == 60
        for number in (0, 59):
            assert await rig.received(f"n{number}:x") == 1

    async def test_strange_names_and_words_do_no_harm(self, rig: Rig) -> None:
        name = "nörd/../?&=#\r\nBcc: x@y:x"
        words = Content("line\r\n.\r\nQUIT\r\n.dot", "a\r\nb: c", "<p>.</p>\n.\n", "https://s/x")
        try:
            await rig.provider.send(
                to(
                    rig,
                    delivery_id=name,
                    content=words,
                    priority=Priority.LOW,
                    collapse_key="ü" * 80,
                )
            )
        except SendError as error:
            pytest.fail(f"refused: {error.reason}")
        assert await rig.received(name) == 1


class TestFake(Suite):
    """The provider without a vendor."""

    @pytest.fixture
    def rig(self) -> Rig:
        return FakeRig()


@pytest.mark.integration
@pytest.mark.parametrize("vendor", ["apns", "fcm", "twilio", "smtp"])
class TestSandbox(Suite):
    """The real providers against the sandbox, which keeps its own books."""

    @pytest.fixture
    async def rig(
        self, vendor: str, sandbox_env: dict[str, str], redis: Redis
    ) -> AsyncIterator[Rig]:
        made = SandboxRig(vendor, sandbox_env, redis)
        await made.reset()
        yield made
        await made.close()
