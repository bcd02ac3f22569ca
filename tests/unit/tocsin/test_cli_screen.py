"""What is printed where there is no terminal."""

from io import StringIO

from rich.console import Console

from tocsin.cli.logs import Line
from tocsin.cli.progress import Progress
from tocsin.cli.screen import Screen


def screen(all_logs: bool = False) -> tuple[Screen, StringIO]:
    out = StringIO()
    return Screen(Console(file=out, width=300), all_logs), out


def test_quiet_lines_are_told_only_when_asked_for() -> None:
    lines = [Line("api", "info", "GET [/]"), Line("writer", "error", "ERROR gone")]
    some, out = screen()
    some.lines(lines)
    assert out.getvalue() == "writer      | ERROR gone\n"
    everything, out = screen(all_logs=True)
    everything.lines(lines)
    assert "api         | GET [/]" in out.getvalue()


def test_a_process_cannot_flood_the_terminal() -> None:
    some, out = screen()
    some.lines([Line("writer", "error", f"ERROR {n}") for n in range(50)])
    some.lines([Line("api", "error", "ERROR too")])
    shown = out.getvalue().splitlines()
    assert len(shown) == 7
    assert shown[5] == "writer      | … more of it is in its log"
    assert shown[6] == "api         | ERROR too"


def test_progress_is_one_plain_line_now_and_then() -> None:
    shown, out = screen()
    channels = {"push": {"delivered": 3, "failed": 1}, "sms": {"delivered": 1}}
    for _ in range(3):
        shown.show(Progress(1, channels, 2.4, {"tocsin-streams": 7, "tocsin-otp": 0}), "[replay]")
    assert out.getvalue() == (
        "5 deliveries ended (push 4, sms 1); 2/s; lag streams 7; [replay]\n"
    )  # fmt: skip


def test_what_is_not_known_is_said_to_be_so() -> None:
    shown, out = screen()
    shown.show(Progress(1), "serving")
    assert out.getvalue() == "no delivery yet; 0/s; lag not known; serving\n"


def test_markup_in_what_others_wrote_is_only_text() -> None:
    shown, out = screen()
    shown.warn("the [red]log[/red] said [/]")
    assert "[red]log[/red] said [/]" in out.getvalue()
