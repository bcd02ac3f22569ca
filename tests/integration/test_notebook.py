"""The notebook is a notebook, and every cell of it runs on a real ClickHouse."""

import json
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from tests.integration.asking import Books
from tocsin.records import State

pytestmark = pytest.mark.integration

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "questions.ipynb"


def cells(kind: str) -> list[dict[str, Any]]:
    made: dict[str, Any] = json.loads(NOTEBOOK.read_text())
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    assert made["metadata"]["kernelspec"]["language"] == "python"
    return [cell for cell in made["cells"] if cell["cell_type"] == kind]


def test_it_is_a_notebook_without_outputs() -> None:
    code, words = cells("code"), cells("markdown")
    ids = [cell["id"] for cell in [*code, *words]]
    assert len(set(ids)) == len(ids) == len(json.loads(NOTEBOOK.read_text())["cells"])
    for cell in code:
        assert set(cell) == {"cell_type", "id", "metadata", "source", "outputs", "execution_count"}
        assert (cell["outputs"], cell["execution_count"]) == ([], None)
    for cell in words:
        assert set(cell) == {"cell_type", "id", "metadata", "source"}


async def test_every_cell_runs(
    clickhouse: AsyncClient,
    clickhouse_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    books = Books(clickhouse)
    books.send("a", "email", provider="smtp", destination="example.com")
    books.send("b", "sms", State.FAILED, provider="twilio", reason="21211")
    books.did("click", "a", "email")
    books.did("convert", "a", "email", value=20.5, currency="EUR")
    await books.write()
    monkeypatch.setenv("TOCSIN_CLICKHOUSE_URL", clickhouse_url)
    names: dict[str, Any] = {"__name__": "__main__"}
    said = []
    for cell in cells("code"):
        exec(compile("".join(cell["source"]), str(NOTEBOOK), "exec"), names)
        said.append(capsys.readouterr().out)
    names["client"].close()
    setup, listed, funnel, clicks, taken, money, own = said
    assert setup == ""
    assert "wave_efficiency: " in listed
    assert "SALE_OFFER" in funnel
    assert "100.00%" in clicks
    assert "example.com" in taken
    assert "21211" in taken
    assert "0.0001" in money
    assert "20.5" in money
    assert "email" in own
