"""Every socket is asked in its turn; a frame is what the protocol says."""

import pytest
from websockets.frames import Frame, Opcode

from actors.sockets import wire
from actors.sockets.keepalive import Keepalive


class Asked:
    def __init__(self) -> None:
        self.probes = 0

    def probe(self) -> None:
        self.probes += 1


def test_a_socket_is_asked_once_in_every_so_many_seconds() -> None:
    keepalive, socket = Keepalive(20), Asked()
    keepalive.add(socket, 100.0)
    asked = []
    for now in range(100, 182):
        keepalive.sweep(now)
        asked.append(socket.probes)
    assert (asked[19], asked[20], asked[39], asked[40], asked[-1]) == (0, 1, 1, 2, 4)


def test_each_has_its_own_turn_and_the_gone_have_none() -> None:
    keepalive = Keepalive(20)
    sockets = [Asked() for _ in range(3)]
    for at, socket in enumerate(sockets):
        keepalive.add(socket, float(at))
    keepalive.sweep(21.0)
    assert [s.probes for s in sockets] == [1, 1, 0]
    keepalive.remove(sockets[0])
    keepalive.remove(sockets[0])
    keepalive.sweep(40.9)
    assert [s.probes for s in sockets] == [1, 1, 1]
    keepalive.sweep(41.0)
    assert [s.probes for s in sockets] == [1, 2, 1]


def test_one_may_leave_while_it_is_asked() -> None:
    keepalive = Keepalive(20)

    class Leaving(Asked):
        def probe(self) -> None:
            super().probe()
            keepalive.remove(self)

    sockets = [Leaving(), Leaving()]
    for socket in sockets:
        keepalive.add(socket, 0.0)
    for now in (20.0, 60.0):
        keepalive.sweep(now)
    assert [s.probes for s in sockets] == [1, 1]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_text_frame_is_the_librarys_byte_for_byte(size: int) -> None:
    payload = b"x" * size
    assert wire.text(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
