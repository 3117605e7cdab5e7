"""What is read ahead of its time is the same, in order, and ends with whoever asked for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from mirror.errors import SessionError
from mirror.latents.visitors import Reading
from mirror.session.synthetic import synthesise
from mirror.show import ahead as module
from mirror.show.ahead import Ahead
from mirror.signals import Floats, Sitter, Sitters
from tests.recordings import room


class Reader:
    """Reads nothing but how many there are, and remembers how many it was given at once."""

    def __init__(self) -> None:
        self.at_once: list[int] = []

    def __call__(self, sitters: Sequence[Sitter]) -> list[Reading | None]:
        self.at_once.append(len(sitters))
        return [Reading(each.markers, each.markers[0], each.id) for each in sitters]


def marker(reading: Reading | None) -> Floats:
    assert reading is not None
    return reading.latents


def test_every_moment_comes_in_order_with_what_was_read_in_its_own_sitters() -> None:
    recorded, read = list(synthesise(20.0, 1)), Reader()
    with Ahead(iter(recorded), read) as told:
        found = list(told)
        assert next(told, None) is None  # and again
    assert [sitters for sitters, _ in found] == recorded
    for sitters, readings in found:
        assert len(sitters.sitters) == len(readings)
        for sitter, reading in zip(sitters.sitters, readings):
            assert marker(reading) is sitter.markers
    assert len(read.at_once) < 0.1 * len(recorded)
    assert sum(read.at_once) == sum(len(each.sitters) for each in recorded)


@pytest.mark.parametrize("moments", [0, 1, module.MOMENTS, module.MOMENTS + 1])
def test_a_recording_of_any_length_ends(moments: int) -> None:
    with Ahead(iter(room(4.0)[:moments]), Reader()) as told:
        assert len(list(told)) == moments


def test_what_is_wrong_with_a_recording_is_raised_where_it_is_waited_for() -> None:
    def broken() -> Iterator[Sitters]:
        yield from room(4.0)[: 2 * module.MOMENTS]
        raise SessionError("evening.mcap", "broken")

    with Ahead(broken(), Reader()) as told:
        for _ in range(2 * module.MOMENTS):
            next(told)
        with pytest.raises(SessionError, match=r"evening\.mcap"):
            next(told)
        assert next(told, None) is None


def test_nothing_is_read_further_ahead_than_told() -> None:
    given: list[int] = []
    turn = threading.Event()

    def counted() -> Iterator[Sitters]:
        for number in range(1000):
            given.append(number)
            if number >= (module.BATCHES + 2) * module.MOMENTS - 1:
                turn.set()
            yield Sitters(number / 30)

    with Ahead(counted(), Reader()) as told:
        next(told)  # one batch is with whoever asked
        assert turn.wait(10)
        threading.Event().wait(0.3)
        assert len(given) <= (module.BATCHES + 3) * module.MOMENTS


def test_closing_ends_the_thread_though_nobody_takes_what_is_ready() -> None:
    def endless() -> Iterator[Sitters]:
        while True:
            yield Sitters(0.0)

    before = threading.active_count()
    told = Ahead(endless(), Reader())
    next(told)
    told.close()
    told.close()
    assert threading.active_count() == before
