"""supervisord's configuration, generated: nothing in it is secret."""

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tocsin.cli import leash
from tocsin.cli.home import Home
from tocsin.cli.program import Program, Wave
from tocsin.errors import ConfigError

_HEAD: Final = """\
; Made by `tocsin up`, anew at every start.
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
logfile={log}/supervisord.log
logfile_maxbytes=10MB
logfile_backups=1
pidfile={run}/supervisord.pid
nodaemon=true
silent=true
minfds=1024

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

_GROUP: Final = """
[group:{wave}]
programs={names}
priority={priority}
"""

_PROGRAM: Final = """
[program:{name}]
command={command}
autostart=false
autorestart={autorestart}
startsecs={startsecs}
startretries={startretries}
stopsignal=TERM
stopwaitsecs={stop_seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""


def render(programs: Iterable[Program], home: Home, socket: Path) -> str:
    """The whole file. Groups are waves: supervisord stops the highest priority first, the
    processes of one group at once, which is our order even if nobody is left to ask for it."""
    known = list(programs)
    head = _HEAD.format(socket=_value(socket), log=_value(home.log), run=_value(home.run))
    return head + "".join((*_groups(known), *(_program(p, home) for p in known)))


def _groups(programs: list[Program]) -> list[str]:
    by_wave = {wave: [p.name for p in programs if p.wave is wave] for wave in Wave}
    return [
        _GROUP.format(wave=group(wave), names=",".join(names), priority=wave.value)
        for wave, names in by_wave.items()
        if names
    ]


def group(wave: Wave) -> str:
    """supervisord's name for a wave."""
    return wave.name.lower()


def _program(program: Program, home: Home) -> str:
    return _PROGRAM.format(
        name=program.name,
        command=_value(shlex.join(_leashed(program, home))),
        autorestart="true" if program.restart and not program.once else "false",
        # a one-off may end at once; a service that ends within a second did not start
        startsecs=0 if program.once else 1,
        startretries=0 if program.once or not program.restart else 3,
        stop_seconds=program.stop_seconds,
        log=_value(home.log_of(program.name)),
    )


def _leashed(program: Program, home: Home) -> list[str]:
    family = ["--family"] if program.family else []
    return [
        sys.executable, "-I", "-S", leash.__file__, str(home.state), *family, "--", *program.argv,
    ]  # fmt: skip


def _value(text: object) -> str:
    """As supervisord reads it back: % starts an expansion there, and ; after a space a comment."""
    escaped = str(text).replace("%", "%%")
    if " ;" in escaped or "\n" in escaped:
        raise ConfigError(f"supervisord cannot work in {text!r}: choose another with --data")
    return escaped
