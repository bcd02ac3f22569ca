"""supervisord by its XML-RPC interface: start, stop, and how everything is."""

from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, cast
from xmlrpc.client import Fault, ServerProxy

from supervisor.states import ProcessStates
from supervisor.xmlrpc import Faults, SupervisorTransport

from tocsin.cli.program import Program
from tocsin.cli.supervisord_conf import group
from tocsin.errors import TocsinError

_DOWN: Final = frozenset(
    {ProcessStates.STOPPED, ProcessStates.EXITED, ProcessStates.FATAL, ProcessStates.UNKNOWN}
)


class SupervisorGone(TocsinError):
    """supervisord does not answer: it was killed, or is not up yet."""


@dataclass(frozen=True)
class Status:
    """One process as supervisord sees it; `pid` is 0 when there is none."""

    name: str
    pid: int
    up: bool
    exited: bool
    exit_code: int
    started: float


class Control:
    """Calls block for about a millisecond. Not for use from several threads."""

    def __init__(self, socket: Path) -> None:
        transport = SupervisorTransport(serverurl=f"unix://{socket}")
        self._rpc = ServerProxy("http://127.0.0.1", transport=transport)

    def start(self, program: Program) -> None:
        """Start it, without waiting; one that runs already is left alone."""
        self._call("startProcess", _address(program), False, but=Faults.ALREADY_STARTED)

    def stop(self, program: Program) -> None:
        """Ask it to stop, without waiting; supervisord kills it after its `stop_seconds`."""
        self._call("stopProcess", _address(program), False, but=Faults.NOT_RUNNING)

    def shutdown(self) -> None:
        """Stop everything, in order, then supervisord itself; without waiting."""
        self._call("shutdown")

    def statuses(self) -> dict[str, Status]:
        """Every process by name."""
        return {info["name"]: _status(info) for info in self._call("getAllProcessInfo")}

    def _call(self, method: str, *args: object, but: int | None = None) -> Any:
        try:
            return getattr(self._rpc.supervisor, method)(*args)
        except Fault as fault:
            if fault.faultCode == but:
                return None
            raise SupervisorGone(f"supervisord refuses {method}: {fault.faultString}") from None
        except (OSError, HTTPException) as error:
            cast(Any, self._rpc)("close")()
            raise SupervisorGone(f"supervisord does not answer: {error}") from None


def _address(program: Program) -> str:
    return f"{group(program.wave)}:{program.name}"


def _status(info: dict[str, Any]) -> Status:
    state = info["state"]
    return Status(
        name=info["name"],
        pid=info["pid"],
        up=state not in _DOWN,
        exited=state == ProcessStates.EXITED,
        exit_code=info["exitstatus"],
        started=info["start"],
    )
