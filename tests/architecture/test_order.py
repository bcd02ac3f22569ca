"""The order of test files, for whoever moves or splits one."""

from pathlib import Path

import pytest

from tests.longest_first import LONG, place

ROOT = Path(__file__).parents[2]


def test_every_file_that_comes_first_is_there() -> None:
    assert [name for name in LONG if not (ROOT / name).is_file()] == []


def test_the_longest_come_first_and_the_others_stay_as_they_are(
    request: pytest.FixtureRequest,
) -> None:
    here = place(request.node.nodeid)
    assert [place(f"{name}::test") for name in (*LONG, "tests/unit/test_x.py")] == [
        *range(here + 1)
    ]
