"""The manifests render, keep to their schemas, fit together, and say what the code says."""

import pytest

from tests.architecture.manifests.render import K8S, KUBECTL, OVERLAYS, rendered, secrets
from tests.architecture.manifests.verdict import problems
from tocsin import kubernetes
from tocsin import settings as settings_module
from tocsin.topics import ALL

needs_kubectl = pytest.mark.skipif(
    KUBECTL is None, reason="kubectl is not here: nothing renders the manifests of k8s/"
)


@pytest.mark.parametrize("name", sorted(kubernetes.MADE))
def test_what_is_generated_is_what_the_code_says(name: str) -> None:
    assert (K8S / "base" / f"{name}.yaml").read_text() == kubernetes.MADE[name](), (
        f"run: python -m tocsin.kubernetes {name} > k8s/base/{name}.yaml"
    )


def test_there_are_the_overlays_that_are_documented() -> None:
    assert {"local", "production", "load"} <= set(OVERLAYS)


@needs_kubectl
@pytest.mark.parametrize("name", ["base", *OVERLAYS])
def test_what_is_rendered_has_nothing_wrong(name: str) -> None:
    assert problems(rendered()[name]) == []


@needs_kubectl
@pytest.mark.parametrize("name", ["base", *OVERLAYS])
def test_a_process_starts_with_these_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (config,) = (e["data"] for e in rendered()[name] if e["metadata"]["name"] == "tocsin-settings")
    said = config | secrets()["tocsin-secrets"] | secrets()["tocsin-providers"]
    for key, value in said.items():
        if key.startswith("TOCSIN_"):
            monkeypatch.setenv(key, value)
    assert settings_module.load().partitions == int(config["TOCSIN_PARTITIONS"])


@needs_kubectl
@pytest.mark.parametrize("name", ["base", *OVERLAYS])
def test_every_topic_is_there_as_the_code_wants_it(name: str) -> None:
    found = {e["metadata"]["name"]: e for e in rendered()[name] if e["kind"] == "KafkaTopic"}
    assert set(found) == {topic.name for topic in ALL}
    for topic in ALL:
        policy = found[topic.name]["spec"]["config"].get("cleanup.policy", "delete")
        assert policy.startswith("compact") == topic.compacted
        assert "Delete=false" in str(found[topic.name]["metadata"]["annotations"])


@needs_kubectl
def test_no_secret_is_in_the_repository() -> None:
    for objects in rendered().values():
        assert not [e for e in objects if e["kind"] == "Secret"]
    for keys in secrets().values():
        for key, value in keys.items():
            assert "<" in value or key.endswith("_FILE"), f"{key} looks like a real value"


@needs_kubectl
def test_production_has_no_load_and_the_load_overlay_has() -> None:
    names = {n: {e["metadata"]["name"] for e in found} for n, found in rendered().items()}
    assert {"tocsin-load-master", "tocsin-load-worker"} <= names["load"]
    assert not any(each.startswith("tocsin-load") for each in names["production"])
