"""The sizing component: written from a plan, the same every time, and the committed one is it."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from loadtest.capacity import costs, overlay
from loadtest.capacity.load import Load
from loadtest.capacity.manifest import text
from loadtest.capacity.model import plan
from loadtest.capacity.readme import PAGE, renewed
from tests.unit.loadtest.capacity_costs import COSTS

HOW = "run: python -m loadtest.capacity --overlay k8s/overlays/production/sizing"


def test_the_committed_component_is_what_the_committed_costs_make() -> None:
    made = overlay.files(costs.load())
    there = {path.name: path.read_text() for path in overlay.COMMITTED.iterdir()}
    assert there == made, HOW


def test_the_readmes_table_is_what_the_committed_costs_make() -> None:
    page = PAGE.read_text()
    assert renewed(page, costs.load()) == page, "run: python -m loadtest.capacity --readme"


def test_written_twice_it_is_the_same(tmp_path: Path) -> None:
    overlay.write(tmp_path / "a", COSTS)
    overlay.write(tmp_path / "b", COSTS)
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    assert first == {name: body.encode() for name, body in overlay.files(COSTS).items()}


def test_every_patch_is_listed_and_says_what_the_plan_says() -> None:
    files, made = overlay.files(COSTS), plan(Load(), COSTS)
    listed = files["kustomization.yaml"]
    assert "kind: Component" in listed
    for name in files.keys() - {"kustomization.yaml"}:
        assert f"path: {name}" in listed
    assert f"value: {made.kafka.partitions}" in files["topics.yaml"]
    assert f'TOCSIN_PARTITIONS: "{made.kafka.partitions}"' in files["tocsin-settings.yaml"]
    assert f"minReplicas: {made.of('tocsin-api').least}" in files["tocsin-api-scaling.yaml"]
    # who scales them says how many there are
    assert "replicas:" not in files["tocsin-streams.yaml"]
    assert f"replicas: {made.of('tocsin-writer').peak}" in files["tocsin-writer.yaml"]


def test_another_load_is_another_component() -> None:
    heavy = overlay.files(COSTS, replace(Load(), per_day=1e9))
    assert heavy["tocsin-ray.yaml"] != overlay.files(COSTS)["tocsin-ray.yaml"]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"a": {"b": [{"c": 1, "d": "x-y"}, "e"]}},
         "a:\n  b:\n    - c: 1\n      d: x-y\n    - e\n"),
        ({"version": "12", "on": "yes", "path": "/a/b~1c"},
         'version: "12"\n"on": "yes"\npath: "/a/b~1c"\n'),
        ([{"op": "replace", "value": {}}], "- op: replace\n  value: {}\n"),
    ],
)  # fmt: skip
def test_a_manifest_is_written_so_that_every_reader_reads_the_same(
    body: object, wanted: str
) -> None:
    assert text(body) == wanted


def test_words_that_are_no_strings_in_yaml_are_quoted() -> None:
    for word in ("true", "no", "1e3", "12", "-", "a: b", "500m #", "x y"):
        written = text({"k": word}).removeprefix("k: ").strip()
        assert json.loads(written) == word
