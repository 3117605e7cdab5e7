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


def read(sitters: Sequence[Sitter]) -> list[Reading | None]:
    """Nothing but whose markers they are, and how many were read at once."""
    return [Reading(each.markers, each.markers[0], len(sitters)) for each in sitters]


def first(moments: int) -> Iterator[Sitters]:
    return iter(room(4.0)[:moments])


def broken() -> Iterator[Sitters]:
    yield from room(4.0)[: 2 * module.MOMENTS]
    raise SessionError("evening.mcap", "broken", "whole files", "mirror session recover")


def endless(told: Path | None = None) -> Iterator[Sitters]:
    """Somebody who stays for ever."""
    number, (sitter, *_) = 0, next(each.sitters for each in room(4.0) if each.sitters)
    while True:
        number += 1
        if told is not None:
            told.write_text(str(number))
        yield Sitters(number / 30, (replace(sitter, markers=sitter.markers + number),))


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
                assert reading is not None and np.array_equal(reading.latents, sitter.markers)
                at_once.append(int(reading.tall))
    return at_once


def test_every_moment_comes_in_order_with_what_was_read_in_its_own_sitters() -> None:
    recorded = list(EVENING())
    with Ahead(EVENING, read) as told:
        found = list(told)
        assert next(told, None) is None  # and again
    at_once = check(found, recorded)
    assert len(at_once) == sum(len(each.sitters) for each in recorded)
    assert np.mean(at_once) > 0.5 * module.MOMENTS


def test_what_was_given_before_is_passed_over() -> None:
    with Ahead(EVENING, read, given=50) as told:
        check(list(told), list(EVENING())[50:])


@pytest.mark.parametrize("moments", [0, 1, module.MOMENTS, module.MOMENTS + 1])
def test_a_recording_of_any_length_ends(moments: int) -> None:
    with Ahead(partial(first, moments), read) as told:
        assert len(list(told)) == moments


def test_what_is_wrong_with_a_recording_is_raised_where_it_is_waited_for() -> None:
    with Ahead(broken, read) as told:
        for _ in range(2 * module.MOMENTS):
            next(told)
        with pytest.raises(SessionError, match=r"evening\.mcap: broken; allowed: whole files; try"):
            next(told)
        assert next(told, None) is None


def test_nothing_is_read_further_ahead_than_told(tmp_path: Path) -> None:
    given = tmp_path / "given"
    with Ahead(partial(endless, given), read) as told:
        next(told)  # one batch is with whoever asked
        time.sleep(1.0)
        # Ready, on its way, and in work; then it waits.
        assert int(given.read_text()) <= (module.BATCHES + 4) * module.MOMENTS


def test_closing_ends_the_process_though_nobody_takes_what_is_ready() -> None:
    told = Ahead(endless, read)
    next(told)
    told.close()
    told.close()
    assert not multiprocessing.active_children()


def test_a_process_that_is_killed_costs_speed_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorded = list(EVENING())
    with Ahead(EVENING, read) as told:
        found = [next(told) for _ in range(100)]
        (process,) = multiprocessing.active_children()
        os.kill(process.pid or 0, signal.SIGKILL)
        found += list(told)
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
    with Ahead(EVENING, read) as told:
        check(list(told), list(EVENING()))
