"""A template's life: versions are numbered once and for ever, and make room for each other."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from api.edition import MOST_BYTES, MOST_VERSIONS, Addition, deleted, publishing
from tests.unit.tocsin.templates.makers import record, template
from tocsin.errors import Invalid
from tocsin.records import Template, Words, encode
from tocsin.records.template import Sms


def added(before: Template | None, text: str) -> tuple[Template, Addition]:
    step = Addition("T", record(locales={"en": Words(sms=Sms(text))}))
    return step(before), step


def test_the_first_version_makes_the_template_and_is_not_in_use() -> None:
    made, step = added(None, "a")
    assert (step.number, step.new, step.dropped) == (1, True, [])
    assert (made.template_id, made.published) == ("T", 0)


def test_the_newest_said_again_is_no_new_one() -> None:
    made, _ = added(None, "a")
    again, step = added(made, "a")
    assert again is made
    assert (step.number, step.new) == (1, False)


def test_a_step_run_again_forgets_its_first_run() -> None:
    step = Addition("T", record(locales={"en": Words(sms=Sms("a"))}))
    step(template("T", *range(1, MOST_VERSIONS + 1), published=0))
    assert step.dropped == [1]
    step(template("T", 1))
    assert (step.number, step.dropped) == (2, [])


def test_the_oldest_not_in_use_makes_room() -> None:
    full = template("T", *range(1, MOST_VERSIONS + 1), published=1)
    made, step = added(full, "new")
    assert step.dropped == [2]
    assert [v.number for v in made.versions][:2] == [1, 3]
    assert len(made.versions) == MOST_VERSIONS


def test_a_template_stays_below_what_a_record_may_hold() -> None:
    made: Template | None = None
    for n in range(20):
        made, step = added(made, f"{n}" + "x" * 65_000)
        assert len(encode(made)) <= MOST_BYTES
    assert made is not None
    assert len(made.versions) == 13
    assert step.dropped == [7]


def test_one_too_large_beside_the_one_in_use_is_refused() -> None:
    huge = record(locales={f"l{c}": Words(sms=Sms("x" * 65_000)) for c in "abcdefgh"})
    before = replace(Addition("T", huge)(None), published=1)
    with pytest.raises(Invalid, match="more than 900,000 bytes"):
        Addition("T", replace(huge, note="b"))(before)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_any_version_may_be_put_in_use(number: int) -> None:
    assert publishing(template("T", 1, 2), number).published == number


def test_one_that_is_not_there_may_not() -> None:
    with pytest.raises(Invalid, match=r"^version: 'T' has no version 3; it has 1, 2$"):
        publishing(template("T", 1, 2), 3)


class Life(RuleBasedStateMachine):
    """Whatever is done, a number never means two different texts."""

    def __init__(self) -> None:
        super().__init__()
        self.template: Template | None = None
        self.said: dict[int, Any] = {}

    def _store(self, after: Template) -> None:
        if after is not self.template:
            after = replace(after, revision=after.revision + 1)
        self.template = after

    @rule(text=st.sampled_from("abc"))
    def add(self, text: str) -> None:
        step = Addition("T", record(locales={"en": Words(sms=Sms(text))}))
        self._store(step(self.template))
        assert self.said.setdefault(step.number, text) == text

    @precondition(lambda self: self.template and self.template.versions)
    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        assert self.template
        numbers = [0, *(v.number for v in self.template.versions)]
        self._store(publishing(self.template, data.draw(st.sampled_from(numbers))))

    @precondition(lambda self: self.template is not None)
    @rule()
    def delete(self) -> None:
        assert self.template
        self._store(deleted(self.template))

    @invariant()
    def what_is_in_use_is_there(self) -> None:
        if self.template and self.template.published:
            assert self.template.published in [v.number for v in self.template.versions]
        if self.template:
            assert len(self.template.versions) <= MOST_VERSIONS


TestLife = Life.TestCase
