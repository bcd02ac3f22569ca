"""Requests judged twice: what changes, what does not, and that nothing is forgotten."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from streams.rules import load_rules
from streams.whatif import Asked, Compare, asked_of, compare, patched
from tests.unit.streams.rulebook import rules_with
from tests.unit.streams.test_decide import ANNA
from tocsin.errors import Invalid
from tocsin.records import Channel, NotificationRequest, Preferences, QuietHours
from tocsin.templates import Chosen

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULES = load_rules()


def _asked(number: int = 0, minutes: int = 0, **more: object) -> Asked:
    request = NotificationRequest(
        notification_id=f"n{number}",
        user_id="anna",
        type="SALE_OFFER",
        channels=(Channel.PUSH,),
        **more,  # type: ignore[arg-type]
    )
    return Asked(request, NOW + timedelta(minutes=minutes), ANNA, "SALE_OFFER", 0)


def test_the_same_rules_change_nothing() -> None:
    found = compare([_asked(n) for n in range(30)], RULES, RULES, {})
    assert found.requests == 30
    assert found.changed == []
    assert found.moves == {
        ("SALE_OFFER", "push", "sent", "sent"): 20,
        ("SALE_OFFER", "push", "suppressed: capped", "suppressed: capped"): 10,
    }


def test_another_cap_tells_which_would_not_go_out() -> None:
    then = rules_with(categories={"promotional": {"cap": {"most": 1, "per": "PT1H"}}})
    found = compare([_asked(0), _asked(1, 30), _asked(2, 61)], RULES, then, {})
    assert [(c.notification_id, c.before, c.after) for c in found.changed] == [
        ("n1", "sent", "suppressed: capped")
    ]
    assert "cap=promotional:reached" in found.changed[0].trace


def test_changed_channels_are_asked_for_or_not_any_more() -> None:
    asked = _asked()
    asked = asked._replace(request=replace(asked.request, channels=()))
    then = rules_with(types={"SALE_OFFER": {"channels": ["push", "email"]}})
    found = compare([asked], RULES, then, {})
    assert {(c.channel, c.before, c.after) for c in found.changed} == {
        ("inapp", "sent", "not asked"),
        ("email", "not asked", "sent"),
    }


def test_preferences_of_one_or_of_everybody() -> None:
    out = {"anna": {"opted_out": True}}
    assert compare([_asked()], RULES, RULES, out).changed[0].after == "suppressed: opted_out"
    everybody = {"*": {"muted": {"promotional": ["push"]}}}
    assert compare([_asked()], RULES, RULES, everybody).changed[0].after == "suppressed: muted"


def test_quiet_hours_are_followed_to_their_end() -> None:
    quiet = {"anna": {"quiet_hours": {"start": "11:00", "end": "13:00"}}}
    found = compare([_asked()], RULES, RULES, quiet)
    assert found.changed[0].after == "sent, after quiet_hours"


def test_a_patch_can_take_quiet_hours_away() -> None:
    wants = Preferences(quiet_hours=QuietHours("11:00", "13:00"))
    found = patched(replace(ANNA, preferences=wants), {"anna": {"quiet_hours": None}})
    assert found is not None
    assert found.preferences == Preferences()


def test_a_collapse_window_makes_duplicates() -> None:
    then = rules_with(types={"SALE_OFFER": {"dedupe": "PT10M"}})
    asked = [_asked(n, n * 6, collapse_key="sale") for n in range(4)]
    found = compare(asked, RULES, then, {})
    assert [c.notification_id for c in found.changed] == ["n1", "n3"]


def test_a_wrong_patch_names_person_and_field() -> None:
    with pytest.raises(Invalid) as raised:
        patched(ANNA, {"anna": {"opted_out": "yes"}})
    assert raised.value.field == "anna.opted_out"


def test_a_request_without_words_is_a_dead_letter_in_both_worlds() -> None:
    asked = asked_of(_asked().request, NOW, ANNA, Invalid("data.offer", "is missing"))
    found = compare([asked], RULES, RULES, {})
    dead = "dead letter: data.offer: is missing"
    assert list(found.moves) == [("SALE_OFFER", "push", dead, dead)]


def test_examples_are_bounded_and_counts_are_not() -> None:
    out = {"anna": {"opted_out": True}}
    found = compare([_asked(n) for n in range(20)], RULES, RULES, out, examples=3)
    assert len(found.changed) == 3
    assert sum(found.moves.values()) == 20


def test_words_that_cannot_speak_on_a_channel_are_no_news_of_it() -> None:
    asked = replace(_asked().request, channels=())
    then = rules_with(types={"SALE_OFFER": {"channels": ["push", "sms"]}})
    told = asked_of(asked, NOW, ANNA, Chosen("SALE_OFFER", 0), {Channel.PUSH, Channel.INAPP})
    found = compare([told], RULES, then, {})
    assert {(c.channel, c.before, c.after) for c in found.changed} == {
        ("inapp", "sent", "not asked"),
        ("sms", "not asked", "suppressed: no_words"),
    }


def test_a_dedupe_key_holds_as_long_as_in_the_store() -> None:
    asked = [_asked(n, n * 20, dedupe_key="sale") for n in range(4)]
    judging = Compare(RULES, RULES, {}, dedupe=timedelta(hours=1))
    for each in asked:
        judging.add(each)
    assert judging.difference.moves == {
        ("SALE_OFFER", "push", "sent", "sent"): 2,
        ("SALE_OFFER", "push", "suppressed: duplicate", "suppressed: duplicate"): 2,
    }


def test_what_waits_counts_when_it_is_sent_not_before() -> None:
    then = rules_with(categories={"promotional": {"cap": {"most": 1, "per": "PT2H"}}})
    night = {"anna": {"quiet_hours": {"start": "12:00", "end": "15:00"}}}
    asked = [_asked(0), _asked(1, 4 * 60), _asked(2, 5 * 60 + 1)]
    judged = compare(asked, RULES, then, night)
    assert [(c.notification_id, c.after) for c in judged.changed] == [
        ("n0", "sent, after quiet_hours"),
        ("n1", "suppressed: capped"),
    ]


def test_a_patch_is_merged_deeply_and_everybodys_comes_first() -> None:
    wants = Preferences(muted={"stock": (Channel.SMS,)}, quiet_hours=QuietHours("22:00", "07:00"))
    patch: dict[str, dict[str, Any]] = {
        "*": {"muted": {"promotional": ["push"]}, "timezone": "Europe/Vienna"},
        "anna": {"muted": {"stock": None}, "quiet_hours": {"end": "08:00"}, "timezone": None},
    }
    found = patched(replace(ANNA, preferences=wants), patch)
    assert found is not None
    assert found.preferences == Preferences(
        muted={"promotional": (Channel.PUSH,)}, quiet_hours=QuietHours("22:00", "08:00")
    )
