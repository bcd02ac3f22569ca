"""Words made a moment ago elsewhere are found in the store; what is nowhere is refused."""

from collections.abc import Sequence

import pytest

from tests.unit.tocsin.templates.makers import template
from tocsin.errors import Invalid
from tocsin.records import Template
from tocsin.templates import Catalogue, Choose, Wanted

WHO = {"who": "Anna"}


class Store:
    """Answers from a dictionary, and counts how often it was asked."""

    def __init__(self, *templates: Template) -> None:
        self.templates = {t.template_id: t for t in templates}
        self.asked: list[list[str]] = []

    async def get_many(self, template_ids: Sequence[str]) -> list[Template | None]:
        self.asked.append(list(template_ids))
        return [self.templates.get(name) for name in template_ids]


def choose(store: Store, *known: Template) -> Choose:
    catalogue = Catalogue()
    for each in known:
        catalogue.put(each)
    return Choose(catalogue, store)  # type: ignore[arg-type]


async def test_one_call_for_all_that_is_news_and_none_without() -> None:
    store = Store(template("A", 1, 2), template("B", 1))
    made = choose(store, template("A", 1))
    batch = [Wanted("X", "A", 2, WHO), Wanted("X", "B", None, WHO), Wanted("X", "C", 1, WHO),
             Wanted("X", "A", 1, {}), Wanted("X", None, None, {"body": "x"})]  # fmt: skip
    found = await made.many(batch)
    assert [f.field if isinstance(f, Invalid) else tuple(f) for f in found] == [
        ("A", 2), ("B", 1), "template_id", "data.who", ("DEFAULT", 0),
    ]  # fmt: skip
    assert store.asked == [["A", "B", "C"]]
    await made.many(batch[:2])
    assert len(store.asked) == 1


async def test_one_alone_is_raised() -> None:
    with pytest.raises(Invalid, match="template_id"):
        await choose(Store()).one(Wanted("X", "NOTHING", None, {}))
