"""The sizing component of k8s/: a patch for each workload, out of a plan.

`k8s/overlays/production` includes it; what it changes is in k8s/base. Written, never edited.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from loadtest.capacity.costs import Costs
from loadtest.capacity.load import Load
from loadtest.capacity.manifest import cpu, gibibytes, mebibytes, text
from loadtest.capacity.model import plan
from loadtest.capacity.plan import RAY_CONNECTIONS, RAY_OTP, RAY_SENDERS, Plan, Pods
from loadtest.capacity.report import asked, where

COMMITTED: Final = Path(__file__).parents[2] / "k8s" / "overlays" / "production" / "sizing"
_DEPLOYMENTS: Final = ("tocsin-api", "tocsin-streams", "tocsin-streams-otp", "tocsin-writer")
_NUMBERS: Final = ("replicas", "minReplicas", "maxReplicas")
_GROUPS: Final = (RAY_CONNECTIONS, RAY_SENDERS, RAY_OTP)
"""Ray's worker groups in the order in which k8s/base/ray.yaml has them; a patch tests that."""

_HEAD: Final = """\
# Made by `python -m loadtest.capacity --overlay DIR`: change the load or the costs, not this.
"""


class _Patch(NamedTuple):
    """A file of the component. `target` where the patch is a list of operations, which name
    nothing themselves; without one it names its object, which then has to be there."""

    name: str
    body: Any
    target: Mapping[str, str] | None = None


def write(directory: Path, costs: Costs, load: Load | None = None) -> None:
    """Write the component for a load (without: the day of 16 M). Only its own files are touched."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files(costs, load).items():
        (directory / name).write_text(content, encoding="utf-8")


def files(costs: Costs, load: Load | None = None) -> dict[str, str]:
    """Name → content."""
    made = plan(load or Load(), costs)
    patches = _patches(made)
    listed = [
        {"path": f"{patch.name}.yaml"} | ({"target": dict(patch.target)} if patch.target else {})
        for patch in patches
    ]
    about = f"# For {asked(made.load)}.\n# {where(costs)}.\n"
    component = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "patches": listed,
    }  # fmt: skip
    found = {"kustomization.yaml": _HEAD + about + text(component)}
    return found | {f"{patch.name}.yaml": _HEAD + text(patch.body) for patch in patches}


def _patches(made: Plan) -> list[_Patch]:
    return [
        *(_deployment(made.of(name)) for name in _DEPLOYMENTS),
        _load_worker(made.of("tocsin-load-worker")),
        _settings(made),
        _hpa(made.of("tocsin-api")),
        _scaled(made.of("tocsin-streams")),
        _ray(made),
        _brokers(made),
        _topics(made),
        _valkey(made),
        _clickhouse(made),
    ]  # fmt: skip


def _resources(pods: Pods) -> dict[str, Any]:
    """No limit of CPU: a process of ours is bounded by its one thread, and one that is throttled
    makes log-ins late."""
    return {
        "requests": {"cpu": cpu(pods.cpu), "memory": mebibytes(pods.memory)},
        "limits": {"memory": mebibytes(pods.memory_limit)},
    }


def _deployment(pods: Pods) -> _Patch:
    """Where a scaler decides how many there are, only what each asks for."""
    containers = [{"name": "tocsin", "resources": _resources(pods)}]
    spec: dict[str, Any] = {"replicas": pods.peak} if pods.always else {}
    spec["template"] = {"spec": {"containers": containers}}
    return _Patch(pods.workload, _object("apps/v1", "Deployment", pods.workload, spec))


def _object(version: str, kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def _load_worker(pods: Pods) -> _Patch:
    """There only where the load is: a target that is missing is no error."""
    operations = [_put("/spec/replicas", pods.peak)]
    return _Patch(pods.workload, operations, {"kind": "Deployment", "name": pods.workload})


def _settings(made: Plan) -> _Patch:
    body = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tocsin-settings"},
        "data": made.settings,
    }  # fmt: skip
    return _Patch("tocsin-settings", body)


def _hpa(pods: Pods) -> _Patch:
    spec = {"minReplicas": pods.least, "maxReplicas": pods.most}
    body = _object("autoscaling/v2", "HorizontalPodAutoscaler", pods.workload, spec)
    return _Patch(f"{pods.workload}-scaling", body)


def _scaled(pods: Pods) -> _Patch:
    operations = [
        _put("/spec/minReplicaCount", pods.least),
        _put("/spec/maxReplicaCount", pods.most),
        _put("/spec/fallback/replicas", pods.peak),
    ]
    target = {"kind": "ScaledObject", "name": pods.workload}
    return _Patch(f"{pods.workload}-scaling", operations, target)


def _ray(made: Plan) -> _Patch:
    operations: list[dict[str, Any]] = []
    for place, name in enumerate(_GROUPS):
        pods, group = made.of(name), f"/spec/workerGroupSpecs/{place}"
        operations += [
            {"op": "test", "path": f"{group}/groupName", "value": name},
            *(_put(f"{group}/{key}", pods.peak) for key in _NUMBERS),
            _put(f"{group}/template/spec/containers/0/resources", _resources(pods)),
        ]  # fmt: skip
    return _Patch("tocsin-ray", operations, {"kind": "RayCluster", "name": "tocsin-ray"})


def _brokers(made: Plan) -> _Patch:
    log = made.kafka
    operations = [
        _put("/spec/replicas", log.brokers),
        _put("/spec/storage/volumes/0/size", gibibytes(log.disk)),
        _put("/spec/resources", {
            "requests": {"cpu": cpu(log.cpu), "memory": mebibytes(log.memory)},
            "limits": {"memory": mebibytes(log.memory)},
        }),
    ]  # fmt: skip
    return _Patch("tocsin-kafka", operations, {"kind": "KafkaNodePool", "name": "brokers"})


def _topics(made: Plan) -> _Patch:
    """Every topic alike: a batch goes from partition to the same partition of the next."""
    operations = [
        _put("/spec/partitions", made.kafka.partitions),
        _put("/spec/replicas", made.kafka.replication),
    ]
    return _Patch("topics", operations, {"kind": "KafkaTopic"})


def _valkey(made: Plan) -> _Patch:
    store, first = made.valkey, "/spec/template/spec/containers/0"
    resources = {
        "requests": {"cpu": cpu(store.cpu), "memory": mebibytes(store.memory)},
        "limits": {"memory": mebibytes(store.memory_limit)},
    }
    operations = [
        _put(f"{first}/resources", resources),
        {"op": "test", "path": f"{first}/args/10", "value": "--maxmemory"},
        _put(f"{first}/args/11", f"{store.memory >> 20}mb"),
        _put("/spec/volumeClaimTemplates/0/spec/resources/requests/storage", gibibytes(store.disk)),
    ]
    return _Patch("tocsin-valkey", operations, {"kind": "StatefulSet", "name": "tocsin-valkey"})


def _clickhouse(made: Plan) -> _Patch:
    books, templates = made.clickhouse, "/spec/templates"
    resources = {
        "requests": {"cpu": cpu(books.cpu), "memory": mebibytes(books.memory)},
        "limits": {"memory": mebibytes(2 * books.memory)},
    }
    operations = [
        _put("/spec/configuration/clusters/0/layout/replicasCount", books.replicas),
        _put(f"{templates}/podTemplates/0/spec/containers/0/resources", resources),
        _put(
            f"{templates}/volumeClaimTemplates/0/spec/resources/requests/storage",
            gibibytes(books.disk),
        ),
    ]
    target = {"kind": "ClickHouseInstallation", "name": "tocsin-clickhouse"}
    return _Patch("tocsin-clickhouse", operations, target)


def _put(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}
