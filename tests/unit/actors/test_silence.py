"""Who is ended because it does not answer."""

from actors.silence import ROUNDS, Silence


def test_it_takes_some_rounds_in_a_row() -> None:
    silence = Silence()
    assert [silence.heed(["shard-0"]) for _ in range(ROUNDS - 1)] == [[]] * (ROUNDS - 1)
    assert silence.heed(["shard-0", "otp-lane"]) == ["shard-0"]


def test_an_answer_ends_the_count() -> None:
    silence = Silence()
    for _ in range(5):
        for _ in range(ROUNDS - 1):
            assert silence.heed(["shard-0"]) == []
        assert silence.heed([]) == []


def test_who_was_ended_has_as_many_rounds_again() -> None:
    silence = Silence()
    said = [silence.heed(["shard-0"]) for _ in range(2 * ROUNDS)]
    assert [bool(each) for each in said] == [False] * (ROUNDS - 1) + [True] + [False] * (
        ROUNDS - 1
    ) + [True]
