"""The shop's own words for "it is back": they know what a stock code is called. Pure."""

from datetime import datetime

from api.edition import Addition, draft, publishing
from api.shop.products import PRODUCTS
from api.template_bodies import TemplateBody
from tocsin.records import Template, TemplateVersion, Variable, Words
from tocsin.records.template import Mail, Note, Sms
from tocsin.templates import Catalogue

NAME = "BACK_IN_STOCK"

_LEFT = "{% if available is defined %} {{ available }} in stock.{% endif %}"
_ONCE = "You asked us to tell you once. First come, first served."


def version(now: datetime) -> TemplateVersion:
    """The words, tried by a test: what is not ours keeps its stock code."""
    what = _named()
    sample = next(iter(PRODUCTS.values()))
    body = TemplateBody(
        template_id=NAME,
        locales={
            "en": Words(
                push=Note("Back in stock", f"{what} is here again.{_LEFT}"),
                sms=Sms(f"{{{{ shop }}}}: {what} is back in stock. {{{{ link }}}}"),
                email=Mail(
                    subject=f"{what} is back in stock",
                    text=f"Good news: {what} is available again.{_LEFT}\n\n{_ONCE}\n",
                    html=f"<p>Good news: {what} is available again.{_LEFT}</p>\n<p>{_ONCE}</p>\n"
                    '{% set action = "See it" %}\n',
                ),
            )
        },
        variables={
            "product": Variable(required=False, about="What it is called"),
            "sku": Variable(required=False, about="Its stock code, where `product` is missing"),
            "available": Variable(type="any", required=False, about="How many there are"),
        },
        sample={"sku": sample.sku, "available": 9},
        note="The demo shop's products by name",
    )
    return draft(body, now)


def has_words(catalogue: Catalogue) -> bool:
    """Whether somebody wrote words for this type already: they stay."""
    there = catalogue.get(NAME)
    return there is not None and bool(there.versions)


def step(wanted: TemplateVersion, before: Template | None) -> Template:
    """For `Wording.change`: in use at once, unless there are others."""
    if before is not None and before.versions:
        return before
    addition = Addition(NAME, wanted)
    return publishing(addition(before), addition.number)


def _named() -> str:
    """The product's name, all in one line: blanks would be seen."""
    names = "".join(f'{{% elif code == "{p.sku}" %}}{p.name}' for p in PRODUCTS.values())
    return (
        '{% set code = sku | default("") %}{% if product is defined %}{{ product }}'
        f"{names}{{% elif code %}}{{{{ code }}}}{{% else %}}What you wanted{{% endif %}}"
    )
