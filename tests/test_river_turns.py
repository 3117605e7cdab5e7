"""Whose turn it is in the river, told beforehand."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
from waters import ASPECT, densities, visit

from mirror.river import river
from mirror.settings import RiverSettings
from mirror.signals import Visit


@pytest.mark.parametrize("step_hz", [24.0, 30.0, 60.0, 7.0])
def test_when_visitors_are_attended_to_can_be_told_beforehand(
    step_hz: float,
) -> None:
    """And whoever is to tell who is there is asked at no other time."""
    asked: list[float] = []
    settings = replace(RiverSettings(), step_hz=step_hz)
    calm = river.start(settings, densities(), seed=1, aspect=ASPECT)
    state = river.advance(calm, settings, (), 1.3)
    told = river.attending_s(state.moment, state.attended_s, state.turned_s, step_hz)
    dt_s = 1 / step_hz
    for _ in range(100):
        later = state.moment.later(dt_s)

        def present(now_s: float = later.time_s) -> list[Visit]:
            asked.append(now_s)
            return [visit(1)]

        state = river.step(state, settings, present, dt_s)
    assert len(asked) > 10
    assert asked == list(islice(told, len(asked)))
    assert next(told) > state.time_s
