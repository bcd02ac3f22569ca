"""The shop's range is made from a sales file, the same every time."""

from loadtest.replay.products import MOST, OF_A_KIND, Sold, best, chosen, kind_of, name_of

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def line(sku: str, words: str, price: str = "1.25") -> str:
    return f"1,{sku},{words},1,2010-12-01 08:26:00,{price},17850,UK\n"


def test_the_best_sellers_with_their_usual_names_and_prices() -> None:
    text = HEADER + line("84879", "BIRD ORNAMENT") * 2 + line("84879", "damaged", "0.0")
    text += line("POST", "POSTAGE") * 9 + line("22694", "WICKER STAR ")
    assert best(text) == [
        Sold("84879", 3, "BIRD ORNAMENT", "1.25"), Sold("22694", 1, "WICKER STAR", "1.25"),
    ]  # fmt: skip


def test_the_samples_come_first_and_of_the_others_a_few_of_a_kind() -> None:
    others = [Sold(f"1{i}", 100 - i, "BIRD", "1") for i in range(9)]
    mugs = [Sold(f"2{i}", 50 - i, "HAND WARMER", "1") for i in range(60)]
    own = Sold("30", 1, "WICKER STAR", "1")
    found = list(chosen([*others, *mugs, own, Sold("40", 9, "A THING", "1")], {"30"}))
    assert found[0] == (own, "star")
    assert [kind for _, kind in found].count("bird") == OF_A_KIND
    assert len(found) <= MOST


def test_names_as_people_write_them() -> None:
    assert name_of("HEART OF WICKER SMALL") == "Heart of Wicker Small"
    assert name_of(" WHITE  HANGING HEART T-LIGHT HOLDER.") == "White Hanging Heart T-light Holder"
    assert name_of("PAPER CHAIN KIT 50'S CHRISTMAS") == "Paper Chain Kit 50s Christmas"
    assert kind_of("LUNCH BAG RED RETROSPOT") == "bag"
    assert kind_of("MYSTERY") is None
