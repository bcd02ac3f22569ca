"""The words that come with Tocsin: `bundled/<TYPE>/<channel>.<part>.j2`, their variables beside."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.records import TemplateVersion, Variable, Words
from tocsin.records.template import Mail, Note, Sms
from tocsin.templates.version import BUNDLED, Version

FOLDER: Final = Path(__file__).parent / "bundled"
DEFAULT: Final = "DEFAULT"
"""The words of a type that has none of its own."""

OTP: Final = "OTP"
DIGEST: Final = "DIGEST"
_LOCALE: Final = "en"
_MADE: Final = datetime(2026, 11, 24, tzinfo=UTC)


class _Declared(msgspec.Struct, forbid_unknown_fields=True):
    variables: dict[str, Variable]
    sample: dict[str, Any]


def _read(folder: Path) -> Version:
    declared = msgspec.json.decode((folder / "variables.json").read_bytes(), type=_Declared)
    source = {path.name.removesuffix(".j2"): path.read_text().strip() for path in folder.iterdir()}
    words = Words(
        push=Note(source["push.title"], source["push.body"]),
        sms=Sms(source["sms.body"]),
        email=Mail(source["email.subject"], source["email.text"], source["email.html"]),
    )
    record = TemplateVersion(
        number=BUNDLED,
        created_at=_MADE,
        variables=declared.variables,
        locales={_LOCALE: words},
        default_locale=_LOCALE,
        sample=declared.sample,
        note="comes with Tocsin",
    )
    return Version(folder.name, record)


WORDS: Final = {folder.name: _read(folder) for folder in sorted(FOLDER.iterdir())}
"""By template id. Read once; compiled when first used."""
