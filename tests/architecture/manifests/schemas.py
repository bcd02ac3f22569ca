"""Objects against the schemas of Kubernetes and the operators; what is unknown is wrong."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

VERSION: Final = "v1.34.0-local-strict"
_CRDS: Final = Path(__file__).parents[3] / "k8s" / "crds"
_BUNDLED: Final = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / VERSION
_DEFINITIONS: Final = "_definitions.json"
_PLACES: Final = ("core.v1", "networking.v1")

Object = Mapping[str, Any]


@cache
def _definitions() -> dict[str, Any]:
    return dict(json.loads((_BUNDLED / _DEFINITIONS).read_text()))


@cache
def _registry() -> "Registry[Any]":
    empty: Registry[Any] = Registry()
    return Resource.from_contents(_definitions()) @ empty


@cache
def _validator(api: str, kind: str) -> Draft202012Validator | None:
    schema = _custom().get((api, kind)) or _bundled(api, kind)
    return Draft202012Validator(schema, registry=_registry()) if schema else None


def _bundled(api: str, kind: str) -> dict[str, Any] | None:
    group, _, version = api.rpartition("/")
    name = "-".join(filter(None, (kind.lower(), group.split(".")[0], version)))
    path = _BUNDLED / f"{name}.json"
    return dict(json.loads(path.read_text())) if path.exists() else None


@cache
def _custom() -> dict[tuple[str, str], dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in sorted(_CRDS.glob("*.json"))]
    return {(each["apiVersion"], each["kind"]): _strict(each["schema"]) for each in found}


def _strict(schema: Any) -> Any:
    """Unknown properties refused, as the API server does with strict field validation; `x-type` is
    a type of Kubernetes' own."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if kind := schema.get("x-type"):
        return {"$ref": f"{_definitions()['$id']}#/$defs/{_named(kind)}"}
    made = {key: _strict(value) for key, value in schema.items()}
    closed = isinstance(made.get("properties"), dict) and "additionalProperties" not in made
    if closed and not made.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = False
    return made


def _named(kind: str) -> str:
    if kind == "ObjectMeta":
        return "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    names = [f"io.k8s.api.{place}.{kind}" for place in _PLACES]
    return next(name for name in names if name in _definitions()["$defs"])


def problems(found: Object) -> Iterator[str]:
    """What the schema of its kind says against an object."""
    name = f"{found.get('kind')}/{found.get('metadata', {}).get('name')}"
    validator = _validator(str(found.get("apiVersion")), str(found.get("kind")))
    if validator is None:
        yield f"{name}: nothing is known of {found.get('apiVersion')} {found.get('kind')}"
        return
    for error in validator.iter_errors(found):
        yield f"{name}: {error.json_path}: {error.message[:300]}"
