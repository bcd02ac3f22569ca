"""Everything that is wrong with a set of objects."""

from collections.abc import Sequence

from tests.architecture.manifests import hardening, network, numbers, references, schemas
from tests.architecture.manifests.pods import Object, pods
from tests.architecture.manifests.render import secrets


def problems(objects: Sequence[Object], changed: Sequence[Object] | None = None) -> list[str]:
    """One line each. Schemas are asked of `changed` alone, if given: they are the slow part."""
    found = pods(objects)
    said = [
        line
        for each in (objects if changed is None else changed)
        for line in schemas.problems(each)
    ]
    if said:
        return said  # what has not the form of its kind cannot be looked at further
    own = secrets() | {
        each["metadata"]["name"]: each.get("stringData", {})
        for each in objects
        if each["kind"] == "Secret"
    }
    return [
        *hardening.problems(found),
        *references.problems(objects, found, own),
        *network.problems(objects, found),
        *numbers.problems(objects, found, own),
    ]
