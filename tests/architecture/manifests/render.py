"""What kustomize makes of a folder of k8s/."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
K8S: Final = ROOT / "k8s"
OVERLAYS: Final = tuple(
    sorted(path.parent.name for path in K8S.glob("overlays/*/kustomization.yaml"))
)
KUBECTL: Final = shutil.which("kubectl")

Objects = list[dict[str, Any]]


@cache
def rendered() -> dict[str, Objects]:
    """Of the base and every overlay, by name. Raises what kubectl says."""
    folders = {"base": K8S / "base"} | {name: K8S / "overlays" / name for name in OVERLAYS}
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(folders, pool.map(_render, folders.values()), strict=True))


def _render(folder: Path) -> Objects:
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{folder}: {done.stderr}"
    return read(done.stdout)


def read(text: str) -> Objects:
    """The objects of a file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [each for each in yaml.load_all(text, loader) if each]


@cache
def secrets() -> dict[str, dict[str, str]]:
    """What k8s/secrets.example.yaml asks for."""
    found = read((K8S / "secrets.example.yaml").read_text())
    return {each["metadata"]["name"]: each["stringData"] for each in found}
