"""The catalogue, and what is asked of it elsewhere."""

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from tocsin.metrics import CATALOGUE, BatchHistogram
from tocsin.observability.prometheus import DASHBOARD, JOB, RULES

_OURS = re.compile(r"\btocsin_[a-z_]+")
_SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count"),
    "gauge": ("",),
}


def series() -> dict[str, MetricWrapperBase]:
    """Every series name that the processes export."""
    return {
        metric._name + suffix: metric for metric in CATALOGUE for suffix in _SUFFIXES[metric._type]
    }


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return loaded


def expressions() -> Iterator[str]:
    """Every query of rules and dashboard. The rules' descriptions are read too: they name metrics
    for people."""
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def test_every_metric_of_rules_and_dashboard_exists() -> None:
    known = set(series()) | {metric._name for metric in CATALOGUE if metric._type != "counter"}
    for text in (RULES.read_text(), *expressions()):
        assert set(_OURS.findall(text)) <= known


def test_every_metric_is_on_the_dashboard_or_in_a_rule() -> None:
    """Also the other way round: what nobody can look at need not be measured."""
    shown = set(_OURS.findall(" ".join([RULES.read_text(), *expressions()])))
    for metric in CATALOGUE:
        names = {metric._name + suffix for suffix in _SUFFIXES[metric._type]}
        assert names & shown, metric._name


def test_labels_of_queries_are_labels_of_the_metric() -> None:
    targets = {"job", "process", "instance", "le"}
    known = series()
    for text in (RULES.read_text(), *expressions()):
        for name, inside in re.findall(r"(tocsin_[a-z_]+)\{([^}]*)\}", text):
            labels = set(re.findall(r"(\w+)\s*=~?\"|(\w+)!~?=?\"", inside))
            named = {one or other for one, other in labels} - targets
            assert named <= set(known[name]._labelnames), (name, inside)


def test_everything_is_asked_of_our_job() -> None:
    for text in expressions():
        assert f'job="{JOB}"' in text
    for text in re.findall(r"(?:tocsin_[a-z_]+|up)\{[^}]*\}", RULES.read_text()):
        assert f'job="{JOB}"' in text


def test_the_dashboard_is_one_that_grafana_11_takes() -> None:
    made = dashboard()
    assert made["schemaVersion"] >= 39
    assert {"title", "uid", "panels", "templating", "time"} <= set(made)
    ids = [panel["id"] for panel in made["panels"]]
    assert len(ids) == len(set(ids))
    for panel in made["panels"]:
        assert {"id", "type", "title", "gridPos"} <= set(panel)
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] == "row":
            continue
        assert panel["type"] in {"timeseries", "stat"}
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert references
        assert len(references) == len(set(references))


def test_no_two_panels_of_the_dashboard_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@given(st.lists(st.floats(-1, 1e6)))
def test_a_batch_is_counted_as_its_values_one_by_one(values: list[float]) -> None:
    bounds = (0.1, 1, 10)
    one, all_ = CollectorRegistry(), CollectorRegistry()
    single = Histogram("x", "x", ["a"], buckets=bounds, registry=one).labels("b")
    batch = BatchHistogram("x", "x", ["a"], buckets=bounds, registry=all_).labels("b")
    for value in values:
        single.observe(value)
    batch.observe_all(values)
    sums = [registry.get_sample_value("x_sum", {"a": "b"}) or 0.0 for registry in (one, all_)]
    assert abs(sums[0] - sums[1]) <= 1e-6 * max(1.0, abs(sums[0]))
    assert _buckets(one) == _buckets(all_)


def _buckets(registry: CollectorRegistry) -> list[str]:
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if line.startswith(("x_bucket", "x_count"))]
