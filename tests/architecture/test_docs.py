"""The documents say what the code does, and all of it."""

import json
import re
import tomllib
from pathlib import Path

import msgspec

from actors.sockets import asyncapi as sockets
from streams.rules import BUNDLED, Rules, TypeRule, merged, parsed
from tocsin import asyncapi, reference
from tocsin.settings import names
from tocsin.topics import ALL

ROOT = Path(__file__).parents[2]
PACKAGES = ("tocsin", "streams", "actors", "api", "analytics", "loadtest")
RULES = ROOT / "docs" / "rules.md"
PAGES = [
    ROOT / "README.md",
    RULES,
    ROOT / "docs" / "seed-endpoints.md",
    ROOT / "k8s" / "README.md",
    *(ROOT / package / "README.md" for package in PACKAGES),
]


def test_the_reference_is_the_generated_one() -> None:
    assert (ROOT / "docs" / "reference.md").read_text() == reference.page(), (
        "run: python -m tocsin.reference > docs/reference.md"
    )


def test_the_asyncapi_document_is_the_generated_one() -> None:
    committed = json.loads((ROOT / "docs" / "asyncapi.json").read_text())
    made = json.loads(json.dumps(asyncapi.document()))
    assert committed == made, "run: python -m tocsin.asyncapi > docs/asyncapi.json"


def test_the_document_of_the_sockets_is_the_generated_one() -> None:
    committed = json.loads((ROOT / "docs" / "asyncapi-sockets.json").read_text())
    made = json.loads(json.dumps(sockets.document()))
    assert committed == made, "run: python -m actors.sockets.asyncapi > docs/asyncapi-sockets.json"


def test_every_setting_a_page_names_exists() -> None:
    known = names()
    for page in PAGES:
        for name in re.findall(r"\bTOCSIN_[A-Z0-9_]*[A-Z0-9]\b(?!_?\*)", page.read_text()):
            groups = {n for n in known if n.startswith(name + "_")}
            outside = name.startswith("TOCSIN_TEST_")
            assert name in known or groups or outside, f"{page.name} names {name}"


def test_every_topic_a_page_names_exists() -> None:
    prefixes = {topic.name.split(".")[0] for topic in ALL if "." in topic.name}
    known = {topic.name for topic in ALL}
    pattern = re.compile(rf"`((?:{'|'.join(prefixes)})\.(?!py`)[a-z]+)`")
    for page in PAGES:
        for name in pattern.findall(page.read_text()):
            assert name in known, f"{page} names the topic {name}"


def test_every_command_the_readme_names_exists_and_the_other_way_round() -> None:
    makefile = (ROOT / "Makefile").read_text()
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", readme, re.MULTILINE))
    assert named <= targets
    assert {"run", "test", "test-kafka", "check", "bench"} <= named


def test_every_file_a_page_links_to_exists() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page} links to {link}"


def test_every_example_of_the_rules_page_is_a_rules_file() -> None:
    bundled, said = tomllib.loads(BUNDLED.read_text()), RULES.read_text()
    examples = re.findall(r"^```toml\n(.*?)^```", said, re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        parsed(merged(bundled, tomllib.loads(example)))
    for kind in (Rules, TypeRule):
        for field in msgspec.structs.fields(kind):
            assert re.search(rf"^\[?{field.name}\b", "".join(examples), re.MULTILINE), field.name
