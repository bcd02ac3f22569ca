"""Mail built by hand reads back through the standard library as what went in."""

import email
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.message import Content
from actors.providers.mime import mail_of, message_id
from tests.unit.actors.makers import message
from tocsin.errors import Permanent

SENDER = "Tocsin Shop <shop@tocsin.example>"
# what XML 1.0 and people write; a lone surrogate has no UTF-8
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300)


def read(content: Content, **changes: Any) -> tuple[bytes, EmailMessage]:
    raw = mail_of(message(address="u1@example.com", content=content, **changes), SENDER, 1.8e9)
    return raw, email.message_from_bytes(raw, policy=policy.default)


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


@given(LINE, TEXT, TEXT.filter(bool))
def test_subject_and_both_bodies_survive(subject: str, text: str, html: str) -> None:
    raw, mail = read(Content(text, subject, html))
    assert not mail.defects
    assert mail.get_content_type() == "multipart/alternative"
    assert mail["Subject"].strip() == subject.strip()
    wanted = [body.replace("\r\n", "\n").replace("\r", "\n") for body in (text, html)]
    assert [part(mail, "plain"), part(mail, "html")] == wanted
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


@given(st.text(max_size=128), st.text(max_size=200))
def test_nothing_breaks_out_of_a_header(delivery_id: str, subject: str) -> None:
    safe = delivery_id.encode("utf-8", "replace").decode()
    _, mail = read(Content("text", subject + "\r\nBcc: evil@example.com"), delivery_id=safe)
    assert mail["Bcc"] is None
    assert mail["To"] == "u1@example.com"


@given(st.binary(max_size=300))
def test_every_line_ends_as_smtp_wants(data: bytes) -> None:
    raw, _ = read(Content(data.decode("latin-1"), "s", "<p>x</p>"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")


def test_it_says_who_from_what_and_which_delivery() -> None:
    _, mail = read(Content("text", "Ihre Bestellung 5 € günstiger", "<p>x</p>"))
    assert mail["From"] == "Tocsin Shop <shop@tocsin.example>"
    assert mail["Message-ID"] == message_id("n1:push", SENDER)
    assert mail["X-Tocsin-Delivery-Id"] == "n1:push"
    assert mail["X-Tocsin-Type"] == "ORDER_CONFIRMATION"
    assert mail["Date"].datetime.timestamp() == 1.8e9
    assert mail["List-Unsubscribe"] is None


def test_a_sender_with_letters_outside_ascii_is_encoded() -> None:
    sender = "Bücher & Söhne <shop@tocsin.example>"
    raw = mail_of(message(address="u1@example.com"), sender, 0)
    mail = email.message_from_bytes(raw, policy=policy.default)
    assert mail["From"].addresses[0].display_name == "Bücher & Söhne"
    assert mail["From"].addresses[0].addr_spec == "shop@tocsin.example"


def test_promotion_can_be_unsubscribed_with_one_click() -> None:
    url = "https://shop.example/u/" + "x" * 200
    _, mail = read(Content("text", "Sale", "<p>x</p>", unsubscribe=url))
    assert mail["List-Unsubscribe"] == f"<{url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    "address",
    ["", "a@b>", "a\r\nb@c", "jo se@x", "ü@x.com", "a@b@c", "a@-b", "<a@b>", "a,b@c", "@x", "a@"],
)
def test_an_address_that_could_not_stand_bare_is_refused(address: str) -> None:
    with pytest.raises(Permanent):
        mail_of(message(address=address), SENDER, 0)
