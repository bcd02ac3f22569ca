"""What one socket may say when: the client's half of the protocol, without any I/O."""

from actors.sockets import close_codes, frames
from actors.sockets.close_codes import Hangup
from actors.sockets.frames import ClientFrame, Hello
from actors.sockets.rate import FrameBudget
from tocsin.errors import Invalid


class Session:
    """Two phases: exactly one hello, then everything else."""

    __slots__ = ("_budget", "_greeted")

    def __init__(self, now: float) -> None:
        self._budget, self._greeted = FrameBudget(now), False

    def receive(self, message: str | bytes, now: float) -> ClientFrame:
        """The frame in a message. `now` is in seconds of the clock given at the start.

        Raises `Invalid` for a frame that can be answered with an error and forgotten, `Hangup` for
        what ends the conversation.
        """
        if not self._budget.take(now):
            raise Hangup(close_codes.RATE, "", close_codes.RATE.meaning)
        if isinstance(message, bytes):
            raise Hangup(close_codes.UNSUPPORTED, "", close_codes.UNSUPPORTED.meaning)
        frame = self._decode(message)
        if isinstance(frame, Hello) == self._greeted:
            wanted = "hello comes once" if self._greeted else "the first frame must be hello"
            raise Hangup(close_codes.PROTOCOL, "op", wanted)
        self._greeted = True
        return frame

    def _decode(self, message: str) -> ClientFrame:
        try:
            return frames.decode(message)
        except frames.NotJson as error:
            raise Hangup(close_codes.PROTOCOL, error.field, error.reason) from None
        except Invalid as error:
            if self._greeted:
                raise
            raise Hangup(close_codes.PROTOCOL, error.field, error.reason) from None
