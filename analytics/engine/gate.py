"""Who may do what. One user writes; everybody else reads.

A reader's queries run with ClickHouse's own `readonly = 1`, which refuses every write, every
setting and every table function that reaches outside. chDB, being a local tool, leaves holes in
it that a server has not: INTO OUTFILE and the function `file` work on any path, and DESCRIBE
reads the schema of a remote file. Those are refused here, by word, and the functions that call a
language model with them.
"""

import re
from collections.abc import Mapping
from enum import Enum
from hmac import compare_digest
from typing import Final

from analytics.client import Place
from analytics.engine.problem import AUTHENTICATION_FAILED, READONLY, SYNTAX, Problem
from analytics.engine.statement import READS, Token, first_word, several, tokens

READERS: Final = frozenset({"default", "analyst"})
"""Users that may read without a password."""

_OUTSIDE: Final = re.compile(
    rb"(?i)(in|out)?file|ai(generate|extract|classify|translate|embed|filter|redact|similarity)"
)
"""Words that reach a file or a host: bare or quoted, called or passed by name."""

_CURLY: Final = tuple(quote.encode() for quote in "‘’“”")
_ALLOWED: Final = re.compile(
    r"max_(execution_time|threads|block_size|result_rows|result_bytes|rows_to_read|memory_usage)"
    r"|(result|timeout|read)_overflow_mode|extremes|session_timezone|date_time_output_format"
    r"|join_use_nulls|limit|offset|use_query_cache|cancel_http_readonly_queries_on_client_close"
    r"|log_comment|priority|final|http_make_head_request|add_http_cors_header"
    r"|output_format_(json|pretty|csv|tsv|native|decimal|arrow|parquet)_\w+"
)


class Role(Enum):
    """What a user may do."""

    READER = "reader"
    WRITER = "writer"


def admit(user: str, password: str, writer: Place) -> Role:
    """The role of who asks. Raises `Problem` 516 for an unknown user or a wrong password."""
    known = user == writer.user
    if known and compare_digest(password.encode(), writer.password.encode()):
        return Role.WRITER
    if user in READERS and not password:
        return Role.READER
    raise Problem(
        AUTHENTICATION_FAILED,
        "AUTHENTICATION_FAILED",
        f"{user}: Authentication failed: password is incorrect, or there is no user with such name",
    )


def check(sql: bytes, role: Role) -> None:
    """Raises `Problem` for more than one statement, and for what a reader may not ask."""
    if several(sql):
        raise Problem(SYNTAX, "SYNTAX_ERROR", "Multi-statements are not allowed")
    if role is Role.READER:
        _check_reader(sql)


def check_settings(settings: Mapping[str, str], role: Role) -> None:
    """A reader may set limits and how results look, nothing that reads a path."""
    for name, value in settings.items() if role is Role.READER else ():
        already = name == "readonly" and value in ("1", "2")
        if not already and not _ALLOWED.fullmatch(name):
            raise _refused(f"Cannot modify '{name}' setting in readonly mode")


def _check_reader(sql: bytes) -> None:
    if first_word(sql) not in READS:
        raise _refused("Cannot execute query in readonly mode. Readers may only ask")
    if _reaches_outside(sql):
        raise _refused("Cannot execute query in readonly mode. Files and hosts are not for readers")
    if first_word(sql) in ("DESCRIBE", "DESC") and _describes_function(sql):
        raise _refused("Cannot execute query in readonly mode. Describe a table or a query")


def _reaches_outside(sql: bytes) -> bool:
    # ClickHouse takes curly quotes for quotes: where there are any, look inside strings too
    if any(quote in sql for quote in _CURLY):
        return bool(_OUTSIDE.search(sql))
    names = (t for t in tokens(sql) if t.kind in ("word", "name"))
    return any(_OUTSIDE.fullmatch(name.text.strip(b'`"')) for name in names)


def _describes_function(sql: bytes) -> bool:
    said: list[Token] = list(tokens(sql))
    target = [t for t in said[1:] if t.upper not in ("TABLE", "FUNCTION")]
    return len(target) > 1 and target[0].kind in ("word", "name") and b"(" in (
        target[1].text, target[3].text if len(target) > 3 else b"",
    )  # fmt: skip


def _refused(reason: str) -> Problem:
    return Problem(READONLY, "READONLY", reason)
