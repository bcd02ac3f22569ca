"""<tocsin-inbox> without a browser: its tests under Node, its types, package and headers."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tocsin
from actors.sockets import close_codes
from api.app import create_app
from tests.unit.api.asgi import Client
from tocsin.settings import Settings

ROOT = Path(__file__).parents[3]
WEB = ROOT / "api" / "web"
SOURCE = WEB / "tocsin-inbox.js"
TYPES = WEB / "tocsin-inbox.d.ts"

OLDEST_NODE = 20
"""The first whose test runner has a clock that can be moved."""


def node_version() -> int:
    """Node's major version here, 0 without Node."""
    if not (node := shutil.which("node")):
        return 0
    said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60)
    found = re.match(r"v(\d+)", said.stdout)
    return int(found[1]) if found else 0


needs_node = pytest.mark.skipif(
    node_version() < OLDEST_NODE, reason=f"needs Node.js {OLDEST_NODE} or newer"
)


def run(*argv: str, cwd: Path = ROOT) -> str:
    """What a command writes; fails with all it said when it fails."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_node
@pytest.mark.parametrize("name", ["tocsin_inbox", "tocsin_client"])
def test_its_own_tests_pass(name: str) -> None:
    run("node", "--test", f"tests/unit/api/web/{name}.test.mjs")


@needs_node
def test_it_knows_every_close_code_of_the_servers_table() -> None:
    module = f'import {{ CLOSE_CODES }} from "{SOURCE.as_uri()}";'
    script = f"{module} console.log(JSON.stringify(CLOSE_CODES))"
    told = run("node", "--input-type=module", "--eval", script)
    known = {
        int(code): (each["name"], each["reconnect"]) for code, each in json.loads(told).items()
    }
    assert known == {each.code: (each.name, each.reconnect.value) for each in close_codes.TABLE}


@pytest.mark.skipif(shutil.which("tsc") is None, reason="needs TypeScript's tsc")
def test_its_types_are_right() -> None:
    run("tsc", "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", str(TYPES))


def test_everything_it_exports_is_typed() -> None:
    exported = re.findall(r"^export (?:class|function|const) (\w+)", SOURCE.read_text(), re.M)
    typed = re.findall(r"^export (?:class|function|const) (\w+)", TYPES.read_text(), re.M)
    assert exported
    assert set(exported) == set(typed)


def test_the_package_is_of_this_version_and_names_no_registry() -> None:
    package = json.loads((WEB / "package.json").read_text())
    assert package["version"] == tocsin.__version__
    assert package["license"] == "Apache-2.0"
    assert "dependencies" not in package
    assert "publishConfig" not in package
    for entry in package["exports"].values():
        for path in entry.values() if isinstance(entry, dict) else [entry]:
            assert (WEB / path).exists()


@needs_node
@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_the_package_holds_the_module_its_types_and_how_to_use_it() -> None:
    packed = json.loads(run("npm", "pack", "--dry-run", "--json", "--offline", cwd=WEB))
    assert {each["path"] for each in packed[0]["files"]} == {
        "package.json", "README.md", "tocsin-inbox.js", "tocsin-inbox.d.ts",
    }  # fmt: skip


def test_the_readme_names_every_custom_property_and_part() -> None:
    source, readme = SOURCE.read_text(), (WEB / "README.md").read_text()
    properties = set(re.findall(r"var\((--tocsin-[a-z-]+)", source))
    parts = {
        name
        for found in re.findall(r'\bpart: "([a-z -]+)"', source)
        + re.findall(r'#button\([\w.]+, "([a-z-]+)"', source)
        for name in found.split()
    }
    assert len(properties) > 10
    assert len(parts) > 10
    for name in properties | parts:
        assert f"`{name}`" in readme, name


def test_the_readme_names_no_custom_property_that_is_not_there() -> None:
    source = SOURCE.read_text()
    for name in re.findall(r"`(--tocsin-[a-z-]+)`", (WEB / "README.md").read_text()):
        assert f"var({name}" in source, name


def client() -> Client:
    services: Any = SimpleNamespace(settings=Settings())
    return Client(create_app(services))


async def test_pages_of_other_origins_may_load_it_and_nothing_else() -> None:
    module = await client()("GET", "/web/tocsin-inbox.js", origin="https://shop.example")
    assert module.status == 200
    assert module.headers["content-type"] == "text/javascript; charset=utf-8"
    assert module.headers["access-control-allow-origin"] == "*"
    assert module.headers["cross-origin-resource-policy"] == "cross-origin"
    again = await client()("GET", "/web/tocsin-inbox.js", if_none_match=module.headers["etag"])
    assert (again.status, again.headers["access-control-allow-origin"]) == (304, "*")
    other = await client()("GET", "/web/live.js", origin="https://shop.example")
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("name", ["package.json", "README.md", "tocsin-inbox.d.ts"])
async def test_what_belongs_to_the_package_only_is_not_served(name: str) -> None:
    assert (WEB / name).exists()
    assert (await client()("GET", f"/web/{name}")).status == 404
