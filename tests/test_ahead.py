"""What is read ahead of its time is the same, in order, and ends with whoever asked for it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from mirror.errors import SessionError
from mirror.latents.visitors import Reading
from mirror.session.synthetic import synthesise
from mirror.show import ahead as module
from mirror.show.ahead import Ahead
from mirror.signals import Sitter, Sitters
from tests.recordings import room

#: What the process works with must be found by its name there.
EVENING = partial(synthesise, 20.0, 1)


def read(sitters: Sequence[Sitter], wanted: Sequence[bool]) -> list[Reading | None]:
    """Nothing but whose markers they are, and how many were read at once."""
    return [
        Reading(each.markers[0], len(sitters), each.markers if now else None)
        for each, now in zip(sitters, wanted)
    ]


def every(rate_hz: float) -> Iterator[float]:
    """So often a river asks who is there."""
    return (number / rate_hz for number in count(1))


#: At every moment, and as a river does.
ALWAYS, TENTHS = partial(every, 1000.0), partial(every, 10.0)


def first(moments: int) -> Iterator[Sitters]:
    return iter(room(4.0)[:moments])


def broken() -> Iterator[Sitters]:
    yield from room(4.0)[: 2 * module.MOMENTS + 1]
    raise SessionError("evening.mcap", "broken", "whole files", "mirror session recover")


def endless(told: Path | None = None) -> Iterator[Sitters]:
    """Somebody who stays for ever."""
    number, (sitter, *_) = 0, next(each.sitters for each in room(4.0) if each.sitters)
    while True:
        number += 1
        if told is not None:
            told.write_text(str(number))
        yield Sitters(number / 30, (replace(sitter, markers=sitter.markers + number),))


def killed_after(moments: int, attending: module.Attending) -> list[module.Told]:
    """What comes of an evening when the process is killed after so many moments."""
    with Ahead(EVENING, read, attending) as told:
        found = [next(told) for _ in range(moments)]
        (process,) = multiprocessing.active_children()
        os.kill(process.pid or 0, signal.SIGKILL)
        return found + list(told)


def check(found: list[module.Told], recorded: list[Sitters]) -> list[int]:
    """The moments are the recorded ones; returns how many were read at once with each sitter."""
    at_once = []
    assert [sitters.time_s for sitters, _ in found] == [each.time_s for each in recorded]
    for (sitters, readings), each in zip(found, recorded):
        assert [s.id for s in sitters.sitters] == [s.id for s in each.sitters]
        for n, sitter in enumerate(each.sitters):
            assert np.array_equal(sitters.sitters[n].markers, sitter.markers)
            if readings is not None:
                reading = readings[n]
                assert reading is not None and reading.latents is not None
                assert np.array_equal(reading.latents, sitter.markers)
                at_once.append(int(reading.tall))
    return at_once


def test_every_moment_comes_in_order_with_what_was_read_in_its_own_sitters() -> None:
    recorded = list(EVENING())
    with Ahead(EVENING, read, ALWAYS) as told:
        found = list(told)
        assert next(told, None) is None  # and again
    at_once = check(found, recorded)
    assert len(at_once) == sum(len(each.sitters) for each in recorded)
    assert np.mean(at_once) > 0.5 * module.MOMENTS


def test_only_moments_that_matter_come() -> None:
    """The last before the river asks, and those at which somebody comes or goes."""
    recorded = list(EVENING())
    with Ahead(EVENING, read, TENTHS) as told:
        found = list(told)
    assert 0.3 * len(recorded) < len(found) < 0.5 * len(recorded)
    came = {each.time_s: each for each in recorded}
    assert all(came[sitters.time_s] is not None for sitters, _ in found)
    times = [sitters.time_s for sitters, _ in found]
    assert times == sorted(set(times))
    for number in range(1, int(10 * recorded[-1].time_s)):
        asked_s = number / 10
        last = max(each.time_s for each in recorded if each.time_s < asked_s - 1e-6)
        _, readings = found[times.index(last)]
        assert readings is not None
        assert all(each is not None and each.latents is not None for each in readings)
    events = [(each.time_s, each.arrived, each.left) for each in recorded]
    kept = [(each.time_s, each.arrived, each.left) for each, _ in found]
    assert [each for each in events if each[1] or each[2]] == [
        each for each in kept if each[1] or each[2]
    ]


def test_a_process_that_is_killed_loses_none_of_the_moments_that_matter() -> None:
    recorded = list(EVENING())
    found = killed_after(60, TENTHS)
    alone = [sitters.time_s for sitters, readings in found if readings is None]
    assert alone == [each.time_s for each in recorded][-len(alone) :]
    assert found[-len(alone) - 1][0].time_s < alone[0]


def test_what_was_given_before_is_passed_over() -> None:
    with Ahead(EVENING, read, ALWAYS, given=50) as told:
        check(list(told), list(EVENING())[50:])


@pytest.mark.parametrize("moments", [0, 1, module.MOMENTS, module.MOMENTS + 1])
def test_a_recording_of_any_length_ends(moments: int) -> None:
    with Ahead(partial(first, moments), read, ALWAYS) as told:
        assert len(list(told)) == moments


def test_what_is_wrong_with_a_recording_is_raised_where_it_is_waited_for() -> None:
    with Ahead(broken, read, ALWAYS) as told:
        for _ in range(2 * module.MOMENTS):
            next(told)
        with pytest.raises(SessionError, match=r"evening\.mcap: broken; allowed: whole files; try"):
            next(told)
        assert next(told, None) is None


def test_nothing_is_read_further_ahead_than_told(tmp_path: Path) -> None:
    given = tmp_path / "given"
    with Ahead(partial(endless, given), read, ALWAYS) as told:
        next(told)  # one batch is with whoever asked
        time.sleep(1.0)
        # Ready, on its way, and in work; then it waits.
        assert int(given.read_text()) <= (module.BATCHES + 4) * module.MOMENTS


def test_closing_ends_the_process_though_nobody_takes_what_is_ready() -> None:
    told = Ahead(endless, read, ALWAYS)
    next(told)
    told.close()
    told.close()
    assert not multiprocessing.active_children()


def test_a_process_that_is_killed_costs_speed_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorded = list(EVENING())
    found = killed_after(100, ALWAYS)
    check(found, recorded)
    assert found[0][1] is not None and found[-1][1] is None
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "status -9" in record.message


def test_where_there_can_be_no_process_moments_come_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: object) -> None:
        raise BlockingIOError("no more processes")

    context = multiprocessing.get_context("spawn")
    monkeypatch.setattr(context.Process, "start", refuse)
    with Ahead(EVENING, read, ALWAYS) as told:
        check(list(told), list(EVENING()))
