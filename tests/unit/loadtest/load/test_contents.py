"""What calls hold: the day's mix to the last one, people of the right partition, ids of our own."""

from collections import Counter
from random import Random

from loadtest.load import contents
from loadtest.load.crowd import Crowd
from loadtest.load.prepare import crowd_of
from loadtest.load.shapes import plan
from loadtest.people import person
from tocsin.kafka import partition_for
from tocsin.records import NotificationRequest, decode, encode
from tocsin.templates.built_in import WORDS
from tocsin.topics import REQUESTS_BY_LANE

PLAN = plan("day", 0.0002, 60)
CROWD = crowd_of("load1", PLAN)
PARTITIONS = 4


def everything() -> list[contents.Note]:
    rest, batch, kafka = (PLAN.flow(stream) for stream in ("rest", "batch", "kafka"))
    by_http = [
        note
        for flow in (rest, batch)
        for number in range(flow.calls)
        for note in contents.of_call(flow, number, CROWD, 1, low=False)
    ]
    return by_http + [
        note
        for number in range(kafka.calls)
        for note in contents.of_record(kafka, number, CROWD, 1, False, PARTITIONS)[2]
    ]


def test_a_day_is_ten_pushes_to_one_sms_and_five_mails() -> None:
    notes = everything()
    assert len(notes) == PLAN.notifications
    channels = Counter(note.channels for note in notes)
    whole = len(notes) / 16
    assert abs(channels["push",] - 10 * whole) <= 16
    assert abs(channels["sms",] - whole) <= 16
    assert abs(channels["email",] - 5 * whole) <= 16
    assert Counter(channels for channels in contents.MIX) == {
        ("push",): 10, ("sms",): 1, ("email",): 5,
    }  # fmt: skip


def test_every_note_is_a_request_that_its_words_can_be_filled_with() -> None:
    for note in everything():
        request = decode(NotificationRequest, encode(note))
        declared = WORDS[request.type].record.variables
        needed = {name for name, variable in declared.items() if variable.required}
        assert needed <= set(request.data), note


def test_every_id_is_another() -> None:
    notes = everything()
    assert len({note.notification_id for note in notes}) == len(notes)


def test_a_record_is_of_one_lane_and_of_people_of_its_partition() -> None:
    flow = PLAN.flow("kafka")
    for number in range(40):
        topic, partition, notes = contents.of_record(flow, number, CROWD, 1, False, PARTITIONS)
        (lane,) = {note.priority for note in notes}
        assert topic == REQUESTS_BY_LANE[lane].name
        assert {partition_for(note.user_id, PARTITIONS) for note in notes} == {partition}


def test_a_campaign_is_low_through_and_through() -> None:
    for stream in ("rest", "batch"):
        notes = contents.of_call(PLAN.flow(stream), 0, CROWD, 1, low=True)
        assert {note.priority for note in notes} == {"low"}
    topic, _, notes = contents.of_record(PLAN.flow("kafka"), 0, CROWD, 1, True, PARTITIONS)
    assert topic == "notification.requests.low"
    assert {note.priority for note in notes} == {"low"}


def test_whoever_opts_out_or_sleeps_is_nobody_else_and_has_one_wish() -> None:
    crowd = Crowd("load1", 1_000, opt_outs=5, nights=4)
    out = [crowd.to_opt_out(number) for number in range(5)]
    asleep = [crowd.to_sleep(number) for number in range(4)]
    assert len({*out, *asleep}) == 9


def test_who_has_opted_out_is_told_something_now_and_then() -> None:
    crowd = Crowd("load1", 100_000, opt_outs=1, nights=1)
    crowd.left("gone")
    random = Random(1)
    assert 10 < sum(crowd.anyone(random) == "gone" for _ in range(5_000)) < 200


def test_the_addresses_are_those_people_are_registered_with() -> None:
    first = next(iter(CROWD.lines()))
    profile = person(CROWD.user(0))
    assert first.user == profile.user_id
    assert (first.sms, first.email) == (profile.phone, profile.email)
    assert first.push == tuple(device.token for device in profile.devices.values())


def test_people_who_log_in_have_phones_of_their_own() -> None:
    phones = [person(CROWD.to_log_in(number)).phone for number in range(CROWD.count // 7)]
    assert len(set(phones)) == len(phones)
