"""The questions analysts ask, over small books whose figures were worked out by hand."""

from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.questions import ask, question, questions
from analytics.writer.tables import DELIVERIES
from tests.integration.asking import CREATE_WAVES, NOON, UNTIL, Books, column
from tests.integration.test_analytics_schema import insert
from tocsin.records import Outcome, State

pytestmark = pytest.mark.integration


@pytest.fixture
async def books(clickhouse: AsyncClient) -> Books:
    await clickhouse.command(CREATE_WAVES)
    await clickhouse.command("TRUNCATE TABLE tocsin.waves")
    return Books(clickhouse)


async def test_every_question_has_an_answer_to_empty_books(books: Books) -> None:
    for name in questions():
        assert await books.ask(name) == [], name


async def test_what_was_before_or_is_after_the_time_asked_for_does_not_count(books: Books) -> None:
    for number, hours in enumerate((-200, 200)):
        then, seconds = NOON + timedelta(hours=hours), hours * 3600 + 60
        for kind in ("SALE_OFFER", "OTP"):
            mark = f"{kind}{number}"
            books.send(mark, accepted_at=then, type=kind, provider="apns")
            books.send(f"f{mark}", state=State.FAILED, accepted_at=then, type=kind)
            books.told(mark, "S", 5, then)
            for deed in ("open", "click", "convert", "unsubscribe"):
                books.did(deed, mark, after=seconds)
    for name in questions():
        assert await books.ask(name) == [], name


async def test_funnel(books: Books) -> None:
    for name in ("a", "b", "c", "d"):
        books.send(name)
        books.send(name, "email")
    books.send("e", state=State.FAILED)
    books.send("f", state=None)
    books.did("open", "a")
    books.did("click", "a")
    books.did("click", "a", after=90)  # again: the same person
    books.did("convert", "a")
    books.did("click", "b")  # opened it, too
    books.did("open", "c", bot_reason="apple_mpp")
    books.did("click", "c", bot_reason="too_fast")
    books.did("read", "d", channel="")  # whichever channel
    books.did("click", "e")  # it failed, as far as anybody knows
    books.did("unsubscribe", "d")
    assert await books.ask("funnel") == [
        ("SALE_OFFER", "email", 4, 4, 1, 0, 0, 0.25, 0.0, 0.0, 1),
        ("SALE_OFFER", "push", 6, 4, 3, 2, 1, 0.75, 0.5, 0.25, 1),
    ]
    assert await books.ask("funnel", type="NEWSLETTER") == []


async def test_rates_of_nothing_delivered_are_empty_and_not_wrong(books: Books) -> None:
    books.send("a", state=State.EXPIRED)
    assert await books.ask("funnel") == [("SALE_OFFER", "push", 1, 0, 0, 0, 0, None, None, None, 1)]


async def test_a_funnel_of_too_many_is_of_a_sample_that_says_so(books: Books) -> None:
    """Of 200 messages at most 60 are looked at: every fourth, by its id. All of them arrived, every
    second notification's was opened, so what is said of the sample is known without its members."""
    for number in range(200):
        books.send(f"n{number}")
        if number % 2:
            books.did("open", f"n{number}")
    (whole,) = await books.rows("funnel")
    assert (whole["accepted"], whole["opened"], whole["one_in"]) == (200, 100, 1)
    (part,) = await books.rows("funnel", most="60")
    assert part["one_in"] == 4
    assert part["accepted"] == part["delivered"]
    assert part["accepted"] % 4 == part["opened"] % 4 == 0
    assert 0 < part["accepted"] // 4 <= 100
    assert part["open_rate"] == pytest.approx(part["opened"] / part["delivered"], abs=1e-5)
    (type_of,) = await books.rows("funnel", most="60", type="SALE_OFFER")
    assert type_of == part


async def test_click_through_by_version_with_intervals(books: Books) -> None:
    for number in range(10):
        books.send(f"a{number}", template_version=1)
    for number in range(4):
        books.send(f"b{number}", template_version=2)
    books.did("click", "a0")
    books.did("click", "a1")
    books.did("click", "a1", bot_reason="scanner")
    books.did("click", "a2", bot_reason="head")
    for number in range(4):
        books.did("click", f"b{number}", channel="")
    books.did("open", "a5")
    first, second = await books.rows("ctr_by_template_version")
    # Wilson, 95 %: of 2 in 10 0.0567 to 0.5098, of 3 in 10 0.1078 to 0.6032, of 4 in 4 0.5101 to 1
    assert tuple(first.values()) == (
        "SALE_OFFER", "push", "sale", 1, 10, 2, 0.2, pytest.approx(0.056682, abs=1e-5),
        pytest.approx(0.509838, abs=1e-5), 3, 0.3, pytest.approx(0.107791, abs=1e-5),
        pytest.approx(0.603222, abs=1e-5),
    )  # fmt: skip
    assert (second["template_version"], second["delivered"], second["ctr"]) == (2, 4, 1.0)
    assert (second["ctr_low"], second["ctr_high"]) == (pytest.approx(0.510109, abs=1e-5), 1.0)


async def test_time_to_click(books: Books) -> None:
    waits = {"a": 4, "b": 10, "c": 30, "d": 500, "e": 3_000, "f": 80_000, "g": 90_000}
    for name, wait in waits.items():
        books.send(name, after=1)
        books.did("click", name, after=1 + wait)
    books.did("click", "a", after=7_000)  # not the first
    books.send("h")
    books.did("click", "h", after=2, bot_reason="too_fast")
    books.send("i", after=5)
    books.did("click", "i", after=4)  # clocks differ
    ((*head, p90, p99, s10, m1, m10, h1, day, later),) = await books.ask("time_to_click")
    assert head == ["SALE_OFFER", "push", 8, 500.0]
    assert (p90, p99) == (90_000.0, 90_000.0)
    assert (s10, m1, m10, h1, day, later) == (3, 1, 1, 1, 1, 1)


async def test_who_follows_links(books: Books) -> None:
    for name in ("a", "b", "c"):
        books.did("click", name, "email")
    books.did("click", "a", "email", after=61)
    books.did("click", "a", "email", bot_reason="scanner")
    books.did("open", "a", "email", bot_reason="apple_mpp")
    books.did("convert", "a", "email")
    assert await books.ask("bots") == [
        ("click", "email", "person", 4, 3, 0.8),
        ("click", "email", "scanner", 1, 1, 0.2),
        ("open", "email", "apple_mpp", 1, 1, 1.0),
    ]


async def test_deliverability(books: Books) -> None:
    sms: dict[str, Any] = {"provider": "twilio", "destination": "+44770"}
    books.send("a", "sms", **sms)
    books.send("b", "sms", attempt=3, **sms)
    books.send("c", "sms", State.FAILED, reason="21211", **sms)
    books.send("d", "sms", State.FAILED, reason="ambiguous", **sms)
    mail: dict[str, Any] = {"provider": "smtp", "destination": "example.com"}
    books.send("a", "email", **mail)
    books.send("b", "email", State.SUPPRESSED, reason="opted_out")
    books.send("c", "email", State.FAILED, reason="missing variable: order")
    found = await books.ask("deliverability")
    assert found == [
        ("sms", "twilio", "+44770", 4, 2, 2, 1, 0.5, 0.5, 0.25, 1.5),
        ("email", "smtp", "example.com", 1, 1, 0, 0, 1.0, 0.0, 0.0, 1.0),
    ]
    assert await books.ask("deliverability", least="2", channel="sms") == found[:1]


async def test_codes(books: Books) -> None:
    def code(name: str, who: str, minute: int, state: State, after: float) -> None:
        at = NOON + timedelta(minutes=minute)
        books.send(
            name, "sms", state, after, type="OTP", user_id=who, accepted_at=at, provider="twilio"
        )

    code("a1", "ann", 0, State.DELIVERED, 0.1)
    code("a2", "ann", 5, State.DELIVERED, 0.3)  # again
    code("a3", "ann", 14, State.FAILED, 1)  # and again
    code("a4", "ann", 60, State.DELIVERED, 0.2)  # another log-in
    code("b1", "bob", 1, State.EXPIRED, 400)
    code("c1", "cat", 2, State.CANCELLED, 1)
    for number in range(2):  # whoever was erased is nobody in particular
        code(f"x{number}", "", 3, State.DELIVERED, 0.2)
    assert await books.ask("otp_conversion") == [
        ("sms", 8, 5, 1, 1, 1, 0.625, 2, 6, 0.333333, 200, 300, 300)
    ]
    ((*_, again, logins, _, _, _, _),) = await books.ask("otp_conversion", again_within="7")
    assert (again, logins) == (1, 7)


async def test_waves(books: Books) -> None:
    later = NOON + timedelta(hours=2)
    for name in ("a", "b", "c", "d"):
        books.told(name, "MUG", 3)
        books.send(name, type="BACK_IN_STOCK")
        books.send(name, "inapp", type="BACK_IN_STOCK")
    books.told("e", "MUG", 3)
    books.send("e", state=State.FAILED, type="BACK_IN_STOCK")
    books.told("f", "MUG", 9, later)
    books.told("a", "MUG", 9, later)  # twice: of the first wave
    books.send("f", type="BACK_IN_STOCK", accepted_at=later)
    books.did("click", "a", after=600)
    books.did("click", "a", "inapp", after=700)
    books.did("click", "b", after=3_700)  # too late to be an answer to the wave
    books.did("click", "c", after=60, bot_reason="scanner")
    books.did("convert", "a", "", after=900)
    books.did("convert", "b", "", after=9_000)
    naive = NOON.replace(tzinfo=None)
    assert await books.ask("wave_efficiency") == [
        ("MUG", later.replace(tzinfo=None), 9, 1, 1, 0, 0, 0.0, 0.0, 0.0),
        ("MUG", naive, 3, 5, 4, 1, 2, 0.25, 0.5, 0.666667),
    ]
    assert await books.ask("wave_efficiency", sku="CUP") == []


async def test_opting_out(books: Books) -> None:
    for number in range(8):
        books.send(f"n{number}", "email", type="NEWSLETTER")
    for number in range(2):
        books.send(f"o{number}", "email", type="ORDER_UPDATE")
    books.send("s", type="SALE_OFFER")
    books.send("g", "email", type="GAZETTE")
    books.did("unsubscribe", "n0", "email")
    books.did("unsubscribe", "n1", "push")  # of another channel
    books.did("unsubscribe", "g", "email")
    found = await books.rows("opt_out_rate")
    assert column(found, "type", "channel", "delivered", "opted_out", "opt_out_rate") == [
        ("GAZETTE", "email", 1, 1, 1.0),
        ("NEWSLETTER", "email", 8, 1, 0.125),
        ("SALE_OFFER", "push", 1, 0, 0.0),
    ]
    # Wilson, 95 %, of 1 in 8: 0.0224 to 0.4709
    assert found[1]["opt_out_rate_low"] == pytest.approx(0.022423, abs=1e-5)
    assert found[1]["opt_out_rate_high"] == pytest.approx(0.470890, abs=1e-4)


async def test_conservation(books: Books, clickhouse: AsyncClient) -> None:
    ends = [State.DELIVERED, State.FAILED, State.SUPPRESSED, State.EXPIRED, State.CANCELLED, None]
    for number, end in enumerate(ends):
        books.send(f"n{number}", state=end)
    books.send("n0", state=State.ACKED)
    books.send("two", state=State.DELIVERED)
    books.send("two", state=State.FAILED)
    ghost = Outcome("g:push", "g", "u", "push", "SALE_OFFER", State.DELIVERED, 1, NOON, NOON)
    await insert(clickhouse, DELIVERIES, ghost)
    assert await books.ask("conservation") == [("SALE_OFFER", "push", 8, 1, 1, 1, 1, 1, 1, 2)]


async def test_cost(books: Books) -> None:
    for number in range(3):
        books.send(f"a{number}", "sms", provider="twilio", destination="+44770")
    books.send("b", "sms", provider="twilio", destination="+35412")
    books.send("c", "sms", State.FAILED, provider="twilio", destination="+44770",
                     reason="attempts exhausted: ambiguous: ReadTimeout")  # fmt: skip
    books.send("d", "sms", State.FAILED, provider="twilio", destination="+44770", reason="x")
    books.send("e", "email", provider="mailer", destination="example.com")
    prices = "twilio:=0.08,twilio:+44=0.04,twilio:+447=0.05,smtp:=1"
    assert await books.ask("cost_by_provider", prices=prices) == [
        ("sms", "twilio", "+44770", 3, 1, 0.05, 0.15),
        ("sms", "twilio", "+35412", 1, 0, 0.08, 0.08),
        ("email", "mailer", "example.com", 1, 0, None, None),
    ]
    assert len(await books.ask("cost_by_provider")) == 3  # at the prices of prices.toml


async def test_revenue(books: Books) -> None:
    books.send("a", "email", type="NEWSLETTER", template_id="spring")
    books.send("b", "email", type="NEWSLETTER", template_id="spring")
    books.send("b", "push", type="NEWSLETTER", template_id="short", after=5)
    books.did("convert", "a", "email", type="NEWSLETTER", value=20.5, currency="EUR",
                    reference="o1")  # fmt: skip
    books.did("convert", "b", "", type="", value=9.5, currency="EUR")  # owed to the first
    books.did("convert", "b", "push", type="NEWSLETTER", value=7, currency="GBP")
    books.did("convert", "z", "push", type="SALE_OFFER")  # nothing is known of its delivery
    books.did("convert", "a", "email", value=99, currency="EUR", bot_reason="too_fast")
    assert await books.ask("revenue") == [
        ("NEWSLETTER", "email", "spring", "EUR", 2, 30.0, 15.0),
        ("NEWSLETTER", "push", "short", "GBP", 1, 7.0, 7.0),
        ("SALE_OFFER", "push", "", "", 1, 0.0, 0.0),
    ]
    assert len(await books.ask("revenue", type="NEWSLETTER")) == 2


async def test_busiest_hours(books: Books) -> None:
    for number, hour in enumerate((0, 0, 0, 3)):
        books.send(f"n{number}", accepted_at=NOON + timedelta(hours=hour))
    books.send("f", state=State.FAILED)
    books.send("s", state=State.SUPPRESSED)
    day = NOON.strftime("%a")
    assert await books.ask("busiest_hours") == [(day, 12, 4, 3, 1, 4.0), (day, 15, 1, 1, 0, 1.0)]
    kolkata = await books.rows("busiest_hours", timezone="Asia/Kolkata")
    assert column(kolkata, "hour", "deliveries") == [(17, 4), (20, 1)]


async def test_reasons_of_failures(books: Books) -> None:
    for number in range(3):
        books.send(f"a{number}", state=State.FAILED, after=number, reason="Unregistered",
                         provider="apns")  # fmt: skip
    books.send("b", "sms", State.FAILED, reason="21211", provider="twilio")
    books.send("c", state=State.SUPPRESSED, reason="opted_out")
    last = (NOON + timedelta(seconds=2)).replace(tzinfo=None)
    found = await books.ask("failure_reasons")
    assert found[0] == ("push", "apns", "Unregistered", 3, 0.75, "a2", last)
    assert found[1][:5] == ("sms", "twilio", "21211", 1, 0.25)
    suppressed = await books.rows("failure_reasons", state="suppressed")
    assert column(suppressed, "reason", "deliveries") == [("opted_out", 1)]


async def test_an_answer_is_cut_and_says_so(books: Books, clickhouse: AsyncClient) -> None:
    for name in ("a", "b", "c"):
        books.send(name, provider=name)
    await books.write()
    asked = question("deliverability")
    values = asked.values({"until": UNTIL}, NOON)
    cut = await ask(clickhouse, asked, values, 2, 60)
    assert ([row[1] for row in cut.rows], cut.truncated) == (["a", "b"], True)
    assert ("channel", "String") in cut.columns
    whole = await ask(clickhouse, asked, values, 3, 60)
    assert (len(whole.rows), whole.truncated) == (3, False)
