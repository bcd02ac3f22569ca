"""What a body means: the canonical body, and what its parts are called by whoever wrote it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from api.seed.fields import Fields, called
from tocsin.errors import Invalid
from tocsin.records import decode_internal, encode

T = TypeVar("T")


class Meant(NamedTuple):
    """`ignored` are fields that say nothing here."""

    body: Mapping[str, Any]
    names: Mapping[str, str]
    ignored: Sequence[str] = ()

    def as_(self, kind: type[T]) -> T:
        """The canonical body as a record. Raises `Invalid` with the caller's name of the field."""
        try:
            return decode_internal(kind, encode(self.body))
        except Invalid as error:
            raise self.error(error) from None

    def error(self, error: Invalid) -> Invalid:
        """An error in the canonical body as one in the caller's."""
        return called(error, self.names)


def meant(fields: Fields, body: Mapping[str, Any]) -> Meant:
    """Without what was absent; all that nobody took is ignored."""
    there = {name: value for name, value in body.items() if value is not None}
    return Meant(there, fields.names, [name for name, _ in fields.rest()])
