"""Unmarked tests reach no service; marked ones get real engines, started once per session."""

import socket
from typing import Any

import pytest
from hypothesis import settings

from tests.longest_first import place

# an example may take long on a full machine, and that says nothing of the code
settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")

MARKS = {"integration", "browser"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first."""
    items.sort(key=lambda item: place(item.nodeid))


@pytest.fixture(autouse=True)
def _no_service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that opens a TCP connection fails, saying which marker it lacks."""
    if MARKS & {mark.name for mark in request.node.iter_markers()}:
        return
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            raise AssertionError(f"an unmarked test reached for {address}; mark it integration")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)
