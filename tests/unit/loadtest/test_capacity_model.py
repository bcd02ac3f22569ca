"""The capacity model: what a load needs follows from the costs, and nonsense is refused."""

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from loadtest.capacity import costs, known
from loadtest.capacity.__main__ import app
from loadtest.capacity.arrivals import Flow, counts
from loadtest.capacity.load import Load, checked, mix
from loadtest.capacity.model import plan
from loadtest.capacity.report import markdown, seed
from tests.unit.loadtest.capacity_costs import COSTS
from tocsin.errors import ConfigError, Invalid

DAY = plan(Load(), COSTS)


def test_the_peak_is_so_many_times_the_mean_and_shared_out_by_the_mix() -> None:
    assert Load().rate == pytest.approx(16e6 / 86_400 * 10)
    assert DAY.providers.calls["push"] == pytest.approx(Load().rate * 10 / 16, rel=0.01)
    # log-ins go out as text messages too
    assert DAY.providers.calls["sms"] > Load().rate / 16


def test_one_by_itself_is_a_record_and_a_batch_and_many_together_are_not() -> None:
    alone = counts([Flow("rest", 10, 1, {"push": 1.0})], 60, 12, 0.02)
    assert alone["records"] == pytest.approx(600)
    assert alone["push batches"] == pytest.approx(600, rel=0.02)
    assert alone["rest"] == 600
    together = counts([Flow("kafka", 1, 100, {"push": 1.0})], 60, 12, 0.02)
    assert (together["push"], together["records"]) == (6_000, 60)
    assert together["push batches"] == pytest.approx(60, rel=0.02)
    spread = counts([Flow("batch", 1, 100, {"push": 1.0})], 60, 12, 0.02)
    assert 11 * 60 < spread["records"] <= 12 * 60
    assert (spread["batch calls"], spread["batch items"]) == (60, 6_000)


def test_a_window_bounds_the_batches_however_much_comes() -> None:
    flood = counts([Flow("rest", 1e6, 1, {"push": 1.0})], 1, 4, 0.02)
    assert flood["push batches"] == pytest.approx(4 / 0.02)


def test_lanes_do_not_share_batches() -> None:
    high, low = (Flow("rest", 500, 1, {"push": 1.0}, lane) for lane in ("high", "low"))
    apart = counts([high, low], 1, 4, 0.02)["push batches"]
    assert apart > counts([high, high], 1, 4, 0.02)["push batches"] * 1.2


def test_what_must_survive_a_node_has_one_more_than_it_needs() -> None:
    for pods in DAY.pods:
        assert pods.least >= 2, pods.workload
        assert pods.least <= pods.peak <= pods.most
    senders = {name: int(DAY.settings[f"TOCSIN_{name}_SENDERS"]) for name in ("PUSH", "SMS")}
    assert all(count >= 2 for count in senders.values())
    # 1,157 pushes a second wait 0.1 s each: 116 calls under way, of 128 times 0.6 a sender
    assert senders["PUSH"] == 2 + 1


def test_twice_the_load_needs_twice_the_processes_and_never_less_of_anything() -> None:
    heavy = replace(Load(), per_day=160e6)
    ten = plan(heavy, COSTS)
    for before, after in zip(DAY.pods, ten.pods, strict=True):
        assert after.peak >= before.peak, before.workload
    assert ten.of("tocsin-streams").peak > DAY.of("tocsin-streams").peak
    assert ten.clickhouse.tables == pytest.approx(10 * DAY.clickhouse.tables)
    assert ten.kafka.disk > 8 * DAY.kafka.disk
    assert (
        plan(replace(heavy, headroom=0.0), COSTS).of("tocsin-streams").peak
        < ten.of("tocsin-streams").peak
    )


@pytest.mark.parametrize("per_day", [1e6, 16e6, 160e6, 1e9])
def test_there_are_enough_partitions_for_the_processes_that_read_them(per_day: float) -> None:
    made = plan(replace(Load(), per_day=per_day), COSTS)
    partitions = made.kafka.partitions
    assert partitions % 6 == 0
    assert made.of("tocsin-streams").most == partitions >= made.of("tocsin-streams").peak
    assert partitions * made.kafka.a_partition_carries >= made.load.rate
    assert made.settings["TOCSIN_PARTITIONS"] == str(partitions)


def test_a_shard_holds_so_many_sockets_and_one_is_spare() -> None:
    assert DAY.of("connections").peak == 100_000 // known.SHARD_SOCKETS + 1
    many = plan(replace(Load(), sockets=1_000_000), COSTS)
    assert many.of("connections").peak == 51
    assert many.of("connections").memory >= known.SHARD_SOCKETS * known.SOCKET_BYTES


def test_storage_is_what_was_measured_and_far_from_the_seeds_estimate() -> None:
    books = DAY.clickhouse
    assert books.tables == pytest.approx(48.1e9, rel=0.01)
    assert books.deliveries == pytest.approx(16.8e9, rel=0.01)
    assert books.disk > books.tables + books.rollups
    text = seed(DAY)
    assert "548 GB" in text
    assert "9%" in text
    assert plan(replace(Load(), days=60), COSTS).clickhouse.tables == 2 * books.tables


def test_valkey_holds_a_day_of_ids_and_every_user() -> None:
    holds = DAY.valkey.holds
    assert holds["user"] == 4_000_000 * 600
    assert holds["seen"] == 16_000_000 * 120
    assert holds["sent"] == 4_000_000 * 130
    assert DAY.valkey.memory > sum(holds.values())
    # an inbox has an end: 200 items, however many there were
    full = plan(replace(Load(), mix={"inapp": 1}, per_day=1e9, users=1_000), COSTS)
    assert full.valkey.holds["inbox"] == 1_000 * known.INBOX_ITEMS * 400


def test_what_one_store_cannot_carry_is_said() -> None:
    assert not DAY.warnings
    assert any("Valkey" in each for each in plan(replace(Load(), per_day=2e9), COSTS).warnings)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("per_day", 0), ("per_day", float("nan")), ("peak", 0.5), ("headroom", 1.0),
        ("headroom", -0.1), ("users", 0), ("days", 0), ("sockets", -1), ("otp_per_day", -5),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(Invalid) as refused:
        checked(replace(Load(), **{field: value}))
    assert refused.value.field == f"--{field.replace('_', '-')}"


@pytest.mark.parametrize("text", ["push", "push=", "push=x", "fax=1", "push=-1", "push=0", ""])
def test_a_mix_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(replace(Load(), mix=mix(text)))
    assert refused.value.field == "--mix"


def test_a_costs_file_that_is_none_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    with pytest.raises(ConfigError, match=r"loadtest\.bench\.costs"):
        costs.load(path)
    path.write_text('{"measured_at": 3}')
    with pytest.raises(ConfigError, match="measured_at"):
        costs.load(path)
    path.write_bytes(costs.encoded(COSTS))
    assert costs.load(path) == COSTS


def test_the_committed_costs_can_be_used() -> None:
    found = costs.load()
    made = plan(Load(), found)
    assert made.of("tocsin-streams").peak >= 2
    assert "548 GB" in markdown(made, found)


def test_the_command_prints_json_and_refuses_by_name() -> None:
    run = CliRunner().invoke
    done = run(app, ["--per-day", "32e6", "--json"])
    assert json.loads(done.stdout)["load"]["per_day"] == 32e6
    refused = run(app, ["--peak", "0"]).exception
    assert isinstance(refused, Invalid)
    assert refused.field == "--peak"


def test_a_plan_goes_into_json_and_back() -> None:
    encoded = msgspec.json.encode(DAY)
    assert msgspec.json.decode(encoded, type=type(DAY)) == DAY
