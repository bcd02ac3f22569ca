"""What the user asked of `tocsin up`."""

from dataclasses import dataclass
from pathlib import Path

from tocsin.cli.program import Program, replay
from tocsin.errors import ConfigError

PROVIDERS = ("TOCSIN_APNS_", "TOCSIN_FCM_", "TOCSIN_TWILIO_", "TOCSIN_SMTP_")


@dataclass(frozen=True)
class Wish:
    """The options of `tocsin up`; `speed` is times the file's own pace, 0 as fast as possible."""

    data: Path
    port: int | None = None
    sandbox: bool = True
    replay: Path | None = None
    speed: float = 0
    run: str = ""
    exit_when_done: bool = False
    summary: Path | None = None
    logs: bool = False

    def check(self, environ: dict[str, str]) -> None:
        """Raise `ConfigError` for what can be known to be wrong before anything starts."""
        if self.replay and not self.replay.is_file():
            raise ConfigError(f"--replay {self.replay}: there is no such file")
        if self.exit_when_done and not self.replay:
            raise ConfigError("--exit-when-done needs --replay FILE: without one nothing is done")
        if self.summary and not (self.replay and self.exit_when_done):
            raise ConfigError("--summary needs --replay FILE and --exit-when-done")
        if self.summary and not self.summary.absolute().parent.is_dir():
            raise ConfigError(f"--summary {self.summary}: its directory does not exist")
        if not self.sandbox and not any(name.startswith(PROVIDERS) for name in environ):
            raise ConfigError(
                "--no-sandbox needs real providers: set TOCSIN_APNS_*, TOCSIN_FCM_*, "
                "TOCSIN_TWILIO_* or TOCSIN_SMTP_*, or leave it out"
            )

    def replay_program(self, report: Path) -> Program | None:
        """The replay as a process, if one is wished for; it writes `report`."""
        if self.replay is None:
            return None
        argv = [str(self.replay.absolute()), "--speed", f"{self.speed:g}", "--report", str(report)]
        return replay((*argv, *(["--run", self.run] if self.run else [])))
