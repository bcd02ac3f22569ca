"""The sandbox's journal: numbering, bounds, duplicates."""

from loadtest.sandbox.journal import Journal
from loadtest.sandbox.verdict import Receipt


def _receipt(name: str, recipient: str = "a", content: bytes = b"hello") -> Receipt:
    return Receipt("apns", recipient, f"id-{name}", name, "NEWSLETTER", content)


def _ids(journal: Journal, since: int = 0, provider: str | None = None) -> list[str]:
    return [entry.delivery_id for entry in journal.entries(since, provider) if entry]


def test_receipts_come_back_whole_and_in_order() -> None:
    journal = Journal()
    first = journal.accept(_receipt("one")._replace(collapse_id="c"), 1.5)
    second = journal.accept(_receipt("two"), 2.5)
    entry = journal.entry(first)
    assert (first, second) == (1, 2)
    assert entry == (1, 1.5, "apns", "a", "id-one", "one", "NEWSLETTER", "c", 5, b"hello")
    assert _ids(journal) == ["one", "two"]
    assert _ids(journal, since=1) == ["two"]


def test_a_provider_is_picked_out_and_the_others_still_counted() -> None:
    journal = Journal()
    journal.accept(_receipt("push"), 1)
    journal.accept(_receipt("mail")._replace(provider="smtp"), 2)
    assert _ids(journal, provider="smtp") == ["mail"]
    assert len(list(journal.entries(provider="smtp"))) == 2


def test_the_same_delivery_to_two_devices_is_no_duplicate_but_twice_to_one_is() -> None:
    journal = Journal()
    for recipient in ("phone", "tablet", "phone"):
        journal.accept(_receipt("n1:push", recipient), 1)
    journal.accept(_receipt("", "phone"), 1)
    journal.accept(_receipt("", "phone"), 1)
    summary = journal.summary()
    assert (summary["duplicates"], summary["duplicate_ids"]) == (1, ["n1:push"])
    assert summary["without_delivery_id"] == 2


def test_a_full_journal_drops_its_oldest_receipts_and_says_so() -> None:
    journal = Journal(capacity=3)
    for number in range(1, 6):
        journal.accept(_receipt(f"d{number}"), number)
    assert _ids(journal) == ["d3", "d4", "d5"]
    assert (journal.first, journal.last, journal.dropped) == (3, 5, 2)
    assert journal.summary()["truncated"]


def test_contents_are_dropped_before_receipts_are() -> None:
    journal = Journal(content_bytes=10)
    for number in range(4):
        journal.accept(_receipt(f"d{number}", content=b"12345"), number)
    contents = [entry.content for entry in journal.entries() if entry]
    assert contents == [None, None, b"12345", b"12345"]
    assert [entry.bytes for entry in journal.entries() if entry] == [5, 5, 5, 5]
    assert journal.dropped_contents == 2


def test_both_bounds_together_keep_count() -> None:
    journal = Journal(capacity=2, content_bytes=8)
    for number in range(7):
        journal.accept(_receipt(f"d{number}", content=b"12345"), number)
    assert [entry.content for entry in journal.entries() if entry] == [None, b"12345"]


def test_clearing_forgets_everything_but_numbers_go_on() -> None:
    journal = Journal(capacity=3)
    for number in range(5):
        journal.accept(_receipt(f"d{number}"), number)
    journal.reject("apns", "BadDeviceToken")
    journal.clear()
    assert journal.summary()["accepted"] == journal.summary()["rejected"] == {}
    assert journal.accept(_receipt("d1"), 9) == 6
    assert _ids(journal, since=5) == ["d1"]
    assert journal.duplicates == 0


def test_a_reader_overtaken_by_the_ring_goes_on_with_what_is_left() -> None:
    journal = Journal(capacity=3)
    for number in range(1, 4):
        journal.accept(_receipt(f"d{number}"), number)
    reading = journal.entries()
    next(reading)
    for number in range(4, 6):
        journal.accept(_receipt(f"d{number}"), number)
    assert [entry.delivery_id for entry in reading if entry] == ["d3"]
