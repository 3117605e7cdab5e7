"""Who pulls what: exact shares, a fair company, and nothing that is not a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from waters import WIDTH, visit

from mirror.errors import ShapeError
from mirror.river.sway import admit, mixture, stirred
from mirror.settings import RiverSettings

SETTINGS = RiverSettings()
NEAR = np.linspace(0, 1, 21)


def test_shares_of_a_mixture_sum_to_one() -> None:
    near = np.stack([NEAR, NEAR[::-1], NEAR * 0.3])
    mix = mixture([visit(1), visit(2, reach=0.1), visit(3, reach=0.2)], near, SETTINGS, 0.1)
    total = mix.keep[:, 0].astype(np.float64) + mix.source[:, 0] + mix.shares[:, :, 0].sum(axis=0)
    assert np.abs(total - 1).max() < 1e-7
    assert mix.keep.dtype == mix.source.dtype == mix.shares.dtype == np.float32


def test_two_short_pulls_are_one_long_pull() -> None:
    visits, near = [visit(1), visit(2)], np.stack([NEAR, NEAR[::-1]])
    long, short = mixture(visits, near, SETTINGS, 0.8), mixture(visits, near, SETTINGS, 0.4)
    assert np.allclose(short.keep**2, long.keep, atol=1e-6)
    assert np.allclose(short.shares * (1 + short.keep), long.shares, atol=1e-6)
    assert np.allclose(short.source * (1 + short.keep), long.source, atol=1e-6)


def test_a_parcel_beside_a_visitor_is_half_way_after_the_half_life() -> None:
    mix = mixture([visit(1)], np.ones((1, 1)), SETTINGS, SETTINGS.inject_half_life_s)
    assert mix.shares[0, 0, 0] == pytest.approx(0.5 * SETTINGS.hold, abs=1e-6)


def test_what_is_let_go_belongs_to_the_company_in_equal_parts() -> None:
    edge = np.array([[0.3], [0.0]])  # the second visitor stands elsewhere
    mix = mixture([visit(1), visit(2)], edge, SETTINGS, 1e4)
    assert mix.shares[:, 0, 0].tolist() == pytest.approx([SETTINGS.gift / 2] * 2)
    assert mix.source[0, 0] == pytest.approx(1 - SETTINGS.gift)


def test_whoever_is_absent_or_out_of_reach_pulls_nothing() -> None:
    assert len(mixture([visit(1, presence=0.0)], NEAR[None], SETTINGS, 0.1).touched) == 0
    assert len(mixture([visit(1)], np.zeros((1, 9)), SETTINGS, 0.1).touched) == 0


def test_turbulence_stays_within_its_bounds() -> None:
    calm = np.zeros(21, np.float32)
    wild = stirred(calm, [visit(1, motion=20.0)], NEAR[None], [1e9], SETTINGS, 10.0)
    assert wild.min() == 0
    assert 0.9 < wild.max() <= 1


def test_steady_stirring_is_the_same_in_any_steps() -> None:
    visits, once = [visit(1, motion=1.0)], np.zeros(21, np.float32)
    once = stirred(once, visits, NEAR[None], [0.0], SETTINGS, 2.0)
    often = np.zeros(21, np.float32)
    for _ in range(100):
        often = stirred(often, visits, NEAR[None], [0.0], SETTINGS, 0.02)
    assert np.allclose(once, often, atol=1e-5)


def test_a_visit_is_held_to_its_ranges() -> None:
    held = admit(visit(1, presence=1.7, motion=-3.0), WIDTH)
    assert (held.presence, held.motion) == (1.0, 0.0)


@pytest.mark.parametrize("field", ["presence", "motion", "reach"])
def test_a_visit_with_a_number_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(ShapeError, match="not finite"):
        admit(replace(visit(1), **{field: float("nan")}), WIDTH)  # type: ignore[arg-type]


def test_a_visit_with_faulty_latents_is_refused() -> None:
    sick = visit(1)
    sick.latents[2, 5] = np.inf
    with pytest.raises(ShapeError, match="not finite"):
        admit(sick, WIDTH)
    with pytest.raises(ShapeError, match="latents of visit 1"):
        admit(visit(1), WIDTH + 1)
    with pytest.raises(ShapeError, match="id"):
        admit(visit(0), WIDTH)
