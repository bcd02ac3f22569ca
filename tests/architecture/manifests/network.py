"""Policies: everything is denied, and what is allowed leads to somebody who listens."""

from collections.abc import Iterator, Sequence
from itertools import chain

from tests.architecture.manifests.pods import Object, Pod, selected

OUTSIDE = frozenset({53, 443, 465, 587, 6443})
"""DNS, the internet and the API server: no pod of ours listens there."""


def problems(objects: Sequence[Object], found: Sequence[Pod]) -> Iterator[str]:
    """Of the network policies of a namespace."""
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    denied = [p for p in policies if p["spec"]["podSelector"] == {} and _denies(p["spec"])]
    if not denied:
        yield "nothing denies what no policy allows"
    for policy in policies:
        for what in _policy(policy["spec"], found):
            yield f"NetworkPolicy/{policy['metadata']['name']}: {what}"
    yield from _reached(policies, found)


def _denies(spec: Object) -> bool:
    return set(spec["policyTypes"]) == {"Ingress", "Egress"} and not (
        spec.get("ingress") or spec.get("egress")
    )


def _policy(spec: Object, found: Sequence[Pod]) -> Iterator[str]:
    chosen = selected(spec["podSelector"], found)
    if not chosen:
        yield "selects no pod"
    for rule in spec.get("ingress", []):
        yield from _heard(rule, chosen)
    for rule in spec.get("egress", []):
        near = [peer for peer in rule.get("to", []) if set(peer) == {"podSelector"}]
        heard = chain.from_iterable(selected(peer["podSelector"], found) for peer in near)
        yield from _heard(rule, list(heard) if near else None)
    for peer in _peers(spec):
        if set(peer) == {"podSelector"} and not selected(peer["podSelector"], found):
            yield f"means pods that are not there: {peer['podSelector']}"


def _peers(spec: Object) -> Iterator[Object]:
    for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
        yield from (*rule.get("from", []), *rule.get("to", []))


def _heard(rule: Object, listeners: Sequence[Pod] | None) -> Iterator[str]:
    """`listeners` None: outside."""
    if not rule.get("ports"):
        yield "allows every port"
    for port in rule.get("ports", []):
        numbers = range(port["port"], port.get("endPort", port["port"]) + 1)
        if listeners is None:
            there = set(OUTSIDE)
        else:
            there = set(chain.from_iterable(_listens(pod) for pod in listeners))
        if not there & set(numbers):
            yield f"allows the port {port['port']}, where nobody listens"


def _listens(pod: Pod) -> set[int]:
    ports = set(pod.ports().values())
    for container in pod.containers:
        # Ray's workers take any of a range
        arguments = dict(
            argument.removeprefix("--").split("=", 1)
            for argument in container.get("command", [])
            if argument.startswith("--") and "=" in argument
        )
        if "min-worker-port" in arguments:
            low, high = arguments["min-worker-port"], arguments["max-worker-port"]
            ports |= set(range(int(low), int(high) + 1))
    return ports


def _reached(policies: Sequence[Object], found: Sequence[Pod]) -> Iterator[str]:
    """Every port a pod names is one that somebody may ask."""
    for pod in found:
        if not all("image" in container for container in pod.containers):
            continue
        allowed: set[int] = set()
        for policy in policies:
            if pod in selected(policy["spec"]["podSelector"], found):
                for rule in policy["spec"].get("ingress", []):
                    for port in rule.get("ports", []):
                        allowed |= set(range(port["port"], port.get("endPort", port["port"]) + 1))
        for name, number in pod.ports().items():
            if number not in allowed:
                yield f"{pod.owner}: its port {name} ({number}) is open to nobody"
