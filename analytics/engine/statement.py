"""What the bytes of a query are: its first word, its FORMAT, and where inline data begins.

ClickHouse's own parser decides what a query means; this lexer only answers what the HTTP
interface has to know before it hands the query over. Pure.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    rb"""
      (?P<space>  \s+ | --[^\n]* | \#[!\ ][^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<string> '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<name>   `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" )
    | (?P<word>   [A-Za-z_]\w* )
    | (?P<other>  \d\w* | . )
    """,
    re.VERBOSE | re.DOTALL,
)

READS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "("})
"""What a reader's query may begin with; the engine's `readonly` decides the rest."""

_ANSWERS = READS | {"CHECK", "KILL", "CALL"}
_DATA_FOLLOWS = frozenset({"FORMAT", "VALUES", "SELECT", "WITH", "FROM", "WATCH"})
_OPEN, _CLOSE = frozenset({b"(", b"[", b"{"}), frozenset({b")", b"]", b"}"})


class Token(NamedTuple):
    """`kind` is string, name (quoted), word or other; `depth` counts brackets around it."""

    kind: str
    text: bytes
    start: int
    end: int
    depth: int

    @property
    def upper(self) -> str:
        """The text in capitals; a quoted name without its quotes."""
        text = self.text[1:-1] if self.kind == "name" else self.text
        return text.decode("utf-8", "replace").upper()


class Insert(NamedTuple):
    """An INSERT whose rows come as data: the statement, the data's format, the data."""

    sql: bytes
    format: str
    data: bytes


def tokens(sql: bytes) -> Iterator[Token]:
    """Every token but spaces and comments; lazily, so that data after a FORMAT is not read."""
    depth = 0
    for match in _TOKEN.finditer(sql):
        kind = str(match.lastgroup)
        kind = "string" if kind == "tag" else kind
        if kind == "space":
            continue
        text = match.group()
        depth -= text in _CLOSE
        yield Token(kind, text, match.start(), match.end(), depth)
        depth += text in _OPEN


def first_word(sql: bytes) -> str:
    """The first token in capitals; empty for an empty query."""
    return next(tokens(sql), Token("other", b"", 0, 0, 0)).upper


def answers(sql: bytes) -> bool:
    """Whether the query has a result, even an empty one (a CREATE has none)."""
    return first_word(sql) in _ANSWERS


def format_of(sql: bytes, default: str) -> str:
    """The format a query asks for in its closing FORMAT clause, else `default`."""
    seen = [token for token in tokens(sql) if token.depth == 0 and token.text != b";"]
    for at in range(len(seen) - 2, 0, -1):
        closing = at + 2 == len(seen) or seen[at + 2].upper == "SETTINGS"
        if closing and seen[at].kind == "word" and seen[at].upper == "FORMAT":
            return seen[at + 1].text.strip(b'`"').decode("utf-8", "replace")
    return default


def insert_of(sql: bytes, default: str) -> Insert | None:
    """The parts of an INSERT that carries data, or None for every other query.

    The data begin where ClickHouse's own parser lets them begin: after `FORMAT name`, blanks and
    one line end; or after VALUES. Without either they are all that follows, in `default`.
    """
    stream = tokens(sql)
    if next(stream, Token("other", b"", 0, 0, 0)).upper != "INSERT":
        return None
    for token in stream:
        if token.kind != "word" or token.depth or token.upper not in _DATA_FOLLOWS:
            continue
        if token.upper == "VALUES":
            return Insert(sql[: token.start], "Values", sql[token.end :])
        if token.upper == "FORMAT" and (name := next(stream, None)):
            return Insert(sql[: token.start], name.text.decode(), _data(sql, name.end))
        return None
    return Insert(sql.rstrip(b" \t\r\n;"), default, b"")


_BEFORE_DATA = re.compile(rb"[ \t\f]*;?[ \t\f]*\r?\n?")


def _data(sql: bytes, start: int) -> bytes:
    match = _BEFORE_DATA.match(sql, start)
    return sql[match.end() if match else start :]


def several(sql: bytes) -> bool:
    """Whether anything follows a semicolon: more than one statement."""
    over = False
    for token in tokens(sql):
        if over and token.text != b";":
            return True
        over = over or token.text == b";"
    return False
