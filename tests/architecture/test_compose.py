"""compose.yaml keeps to the Compose schema and fits the code; the image's files fit one another."""

import copy
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tocsin.settings import names

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "schemas" / "compose-spec.json"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    return Draft7Validator(json.loads(SCHEMA.read_text()))


def test_it_is_a_compose_file(compose: dict[str, Any], validator: Draft7Validator) -> None:
    assert [error.message for error in validator.iter_errors(compose)] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["api"].update(port=["8080"]),
        lambda s: s["api"].update(depends_on={"kafka": {"condition": "healthy"}}),
        lambda s: s["kafka"]["healthcheck"].update(intervals="3s"),
        lambda s: s["valkey"].update(volumes="valkey:/data"),
        lambda s: s["ray"].update(ports=8081),
    ],
)
def test_a_broken_one_is_none(
    compose: dict[str, Any], validator: Draft7Validator, change: Any
) -> None:
    broken = copy.deepcopy(compose)
    change(broken["services"])
    assert list(validator.iter_errors(broken))


def test_nothing_is_open_to_other_hosts(compose: dict[str, Any]) -> None:
    ports = [port for each in compose["services"].values() for port in each.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_service_is_kept_alive_watched_and_waits_for_what_is_there(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    for name, each in services.items():
        once = each.get("restart") == "no"
        assert once or each["restart"] == "unless-stopped", name
        ours = each["image"] == "tocsin:local"  # its healthcheck is the image's
        assert once or ours or "healthcheck" in each, name
        for other, how in each.get("depends_on", {}).items():
            finished = how["condition"] == "service_completed_successfully"
            assert finished == (services[other].get("restart") == "no"), f"{name} on {other}"
        for volume in each.get("volumes", []):
            assert volume.partition(":")[0] in compose["volumes"], f"{name}: {volume}"
        assert ":" in each["image"]
        assert not each["image"].endswith(":latest")


def test_its_settings_are_settings_and_its_modules_modules(compose: dict[str, Any]) -> None:
    for name, each in compose["services"].items():
        if each["image"] != "tocsin:local":
            continue
        said = {key for key in each["environment"] if key.startswith("TOCSIN_")}
        assert said <= names(), name
        assert each["command"][:4] == ["python", "-m", "tocsin.cli.enter", "/kept"], name
        module = each["command"][4]
        assert module == "ray" or list(ROOT.glob(f"{module.replace('.', '/')}*")), module


def test_processes_that_share_a_network_have_ports_of_their_own(compose: dict[str, Any]) -> None:
    beside = [
        each["environment"]["TOCSIN_METRICS_PORT"]
        for each in compose["services"].values()
        if each.get("network_mode") == "service:ray"
    ]
    assert len(beside) == len(set(beside)) == 4


def test_the_dockerfile_has_nothing_that_hadolint_minds() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hadolint_would_mind_a_bad_one(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN pip install ray\nRUN cd /app && sudo make\n")
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, bad], capture_output=True, text=True)
    assert done.returncode == 1
    assert {"DL3006", "DL3013", "DL3004"} <= set(re.findall(r"DL\d+", done.stdout))


def test_the_image_is_not_root_and_copies_what_is_there() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "10001:10001"
    sources = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text()
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}\n" in ignored, f"{source} is not let through by .dockerignore"
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert set(built["targets"]["wheel"]["packages"]) <= set(sources)


def test_what_the_image_installs_is_the_lock_without_tools_and_the_embedded_clickhouse() -> None:
    whole, image = (_locked(f"requirements{kind}.lock") for kind in ("", "-image"))
    assert image.items() <= whole.items(), "run: make lock"
    assert {"ray", "faust-streaming", "granian", "locust"} <= set(image)
    assert not {"mypy", "ruff", "playwright", "hypothesis", "kubernetes-validate"} & set(image)
    assert "chdb-core" not in image
    # the embedded engine, and the checker, which judges a run where its files were brought together
    outside = (ROOT / "analytics" / "engine", ROOT / "loadtest" / "check")
    imports = re.compile(r"^\s*(?:import|from) chdb\b", re.MULTILINE)
    for path in ROOT.glob("[a-z]*/**/*.py"):
        if path.parts[len(ROOT.parts)] != "tests" and imports.search(path.read_text()):
            assert path.parent in outside, f"{path} is not for the image"


def _locked(name: str) -> dict[str, str]:
    """Packages with all that is said of them."""
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text())[1:]
    return {re.split(r"[=\s]", block, maxsplit=1)[0]: block.strip() for block in blocks}
