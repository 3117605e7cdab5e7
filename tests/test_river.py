"""The laws of the river, each stated by a test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from processors import outputs
from waters import (
    ASPECT,
    CODE,
    DAY_S,
    SHAPE,
    WIDTH,
    WITNESSES,
    beside,
    densities,
    passed,
    share,
    visit,
)

from mirror.errors import SettingsError, ShapeError
from mirror.river import river
from mirror.river.source import FURTHEST
from mirror.settings import RiverSettings

SETTINGS = RiverSettings()
LONG = replace(SETTINGS, source_refresh_s=60.0)  # for hours: the source moves seldom, and as far
RATES_HZ = (24, 30, 60, 144)
LEFT_AFTER_600_S = 2 ** (-600 / 139)


@pytest.fixture
def calm() -> river.RiverState:
    return river.start(SETTINGS, densities(), seed=1, aspect=ASPECT)


def irregular(state: river.RiverState, visits: list, time_s: float) -> river.RiverState:
    luck = np.random.default_rng(2).uniform(0.002, 0.25, 10_000)
    end_s = state.time_s + time_s
    for dt_s in luck.tolist():
        if state.time_s + dt_s >= end_s:
            return river.step(state, SETTINGS, visits, end_s - state.time_s)
        state = river.step(state, SETTINGS, visits, dt_s)
    raise AssertionError("too short a list of steps")


# -- fading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_half_a_visit_is_left_after_139_s(calm: river.RiverState, rate_hz: int) -> None:
    dyed = passed(calm, SETTINGS, [visit(1)], 10, rate_hz)
    later = passed(dyed, SETTINGS, (), 139, rate_hz)
    assert share(later, 1) / share(dyed, 1) == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("rate_hz", [24, 144])
def test_five_per_cent_of_a_visit_are_left_after_ten_minutes(rate_hz: int) -> None:
    few = replace(LONG, parcels=24)
    dyed = passed(river.start(few, densities(), 1, ASPECT), few, [visit(1)], 10, rate_hz)
    later = passed(dyed, few, (), 600, rate_hz)
    assert share(later, 1) / share(dyed, 1) == pytest.approx(LEFT_AFTER_600_S, rel=0.01)


def test_irregular_steps_keep_the_law(calm: river.RiverState) -> None:
    dyed = irregular(calm, [visit(1)], 10)
    later = irregular(dyed, [], 600)
    assert share(later, 1) / share(dyed, 1) == pytest.approx(LEFT_AFTER_600_S, rel=0.01)


def test_a_visit_is_the_same_at_any_rate(calm: river.RiverState) -> None:
    shares = [share(passed(calm, SETTINGS, [visit(1)], 12, hz), 1) for hz in RATES_HZ]
    shares.append(share(irregular(calm, [visit(1)], 12), 1))
    assert max(shares) / min(shares) < 1.01


def test_spilling_neither_makes_nor_loses_dye() -> None:
    wild = replace(SETTINGS, spill_half_life_s=1.0, fade_half_life_s=1e6)
    dyed = passed(river.start(wild, densities(), 1, ASPECT), wild, [visit(1, motion=2.0)], 5)
    later = passed(dyed, wild, (), 60)
    assert share(later, 1) == pytest.approx(share(dyed, 1), rel=1e-3)
    assert later.dye_of(1).std() < 0.5 * dyed.dye_of(1).std()


# -- dye and latents ----------------------------------------------------------------------------


def test_dye_sums_to_one_and_latents_are_the_mixture_it_states(calm: river.RiverState) -> None:
    state = calm
    for n in range(900):
        there = [visit(1, 0.5, motion=1.5)] if n < 600 else []
        there += [visit(2, 1.2), visit(3, 1.0, reach=0.15)] if n > 200 else []
        state = river.step(state, SETTINGS, there, 1 / 30)
        assert np.abs(state.dye.sum(axis=1) - 1).max() < 1e-6
        assert state.dye.min() >= -1e-6
    witnesses = state.latent[:, -WITNESSES:]
    for number in (1, 2, 3):
        assert state.dye_of(number).max() > 0.03
        assert np.array_equal(witnesses[:, number], state.dye_of(number))
    assert np.abs(witnesses[:, 0] - state.dye[:, 0]).max() < 1e-5


def test_mixtures_of_still_things_are_weighted_sums() -> None:
    schools = densities()
    still = [
        replace(
            schools[0],
            pose_scale=np.zeros(3, np.float32),
            shape_basis=np.zeros((3, SHAPE), np.float32),
            appearance_scale=np.zeros(CODE + WITNESSES, np.float32),
        )
    ] * 6
    visits = [visit(1, 0.6, motion=1.0), visit(2, 1.1)]
    for one in visits:
        one.latents[:] = one.latents[0]  # all schools hear alike
    state = passed(river.start(SETTINGS, still, 1, ASPECT), SETTINGS, visits, 30)
    state = passed(state, SETTINGS, (), 10)
    stated = state.dye[:, :1] * still[0].mean
    stated = stated + sum(state.dye_of(v.id)[:, None] * v.latents[0] for v in visits)
    assert state.dye[:, 0].min() < 0.2
    assert np.abs(state.latent - stated).max() < 3e-5


def test_slots_are_used_again_and_older_visits_run_together() -> None:
    few = replace(SETTINGS, visit_slots=4, parcels=24)
    state = river.start(few, densities(), 1, ASPECT)
    for number in range(1, 9):
        state = passed(state, few, [visit(number, 0.2 * number)], 4)
    assert state.visit_ids.tolist()[-1] == river.EARLIER
    assert 8 in state.visit_ids
    assert 1 not in state.visit_ids
    assert state.dye_of(1).tolist() == [0.0] * 24
    assert state.dye[:, -1].max() > 0.1
    assert np.abs(state.dye.sum(axis=1) - 1).max() < 1e-6
    assert np.abs(state.latent[:, -WITNESSES] - state.dye[:, 0]).max() < 1e-5


def test_more_visitors_at_once_than_slots_share_the_last(calm: river.RiverState) -> None:
    few = replace(SETTINGS, visit_slots=3)
    state = river.start(few, densities(), 1, ASPECT)
    state = passed(state, few, [visit(n, 0.3 * n) for n in range(1, 6)], 3)
    assert sorted(state.visit_ids.tolist()) == [river.EARLIER, 1, 2]
    assert state.dye[:, -1].max() > 0.3
    assert np.abs(state.latent[:, -WITNESSES] - state.dye[:, 0]).max() < 1e-5


def test_the_river_takes_in_the_face_at_rest_not_the_moment(calm: river.RiverState) -> None:
    there = visit(1)
    spoken = replace(there, latents=there.latents + 5, rest=there.latents)
    still, speaking = (passed(calm, SETTINGS, [each], 3) for each in (there, spoken))
    assert river.state_hash(still) == river.state_hash(speaking)


# -- visitors -----------------------------------------------------------------------------------


def test_portraits_beside_a_visitor_become_the_visitor_within_seconds(
    calm: river.RiverState,
) -> None:
    there = visit(1)
    state = passed(calm, SETTINGS, [there], 6)
    near = state.dye_of(1)[beside(state, there, 0.15)]
    assert len(near) > 0
    assert near.min() > 0.8
    assert len(np.unique(state.stream[state.dye_of(1) > 0.3])) >= 4


@pytest.mark.parametrize("places", [(0.5, 1.3), (0.8, 1.0), (0.3, 1.5)])
@pytest.mark.parametrize("time_s", [5, 120])
def test_two_visitors_get_equal_shares(
    calm: river.RiverState, places: tuple[float, float], time_s: int
) -> None:
    visits = [visit(1, places[0]), visit(2, places[1])]
    state = passed(calm, SETTINGS, visits, time_s)
    shares = [share(state, 1), share(state, 2)]
    mean = sum(shares) / 2
    assert shares == pytest.approx([mean, mean], rel=0.1)
    for there, other in (visits, visits[::-1]):
        near = beside(state, there, 0.2)
        assert state.dye_of(there.id)[near].mean() > 1.3 * state.dye_of(other.id)[near].mean()


def test_who_comes_later_soon_has_as_much(calm: river.RiverState) -> None:
    state = passed(calm, LONG, [visit(1, 0.5)], 300, rate_hz=5)
    state = passed(state, LONG, [visit(1, 0.5), visit(2, 1.3)], 139, rate_hz=5)
    assert share(state, 2) == pytest.approx(share(state, 1), rel=0.2)


def test_a_crowd_of_passers_by_stirs_without_taking_over(calm: river.RiverState) -> None:
    luck = np.random.default_rng(5)
    spots = zip(luck.uniform(0, 1.78, 12), luck.uniform(0.2, 0.8, 12))
    crowd = [visit(n + 1, x, y, reach=0.12, motion=1.0) for n, (x, y) in enumerate(spots)]
    state = passed(calm, LONG, crowd, 200, rate_hz=5)
    assert state.turbulence.max() > 0.2
    assert 1 - state.dye[:, 0].mean() < 0.1
    state = passed(calm, LONG, [*crowd, visit(99)], 200, rate_hz=5)
    assert share(state, 99) > 2 * (1 - state.dye[:, 0].mean() - share(state, 99))


def test_who_stays_an_hour_does_not_own_the_river(calm: river.RiverState) -> None:
    there = visit(1)
    state = passed(calm, LONG, [there], 3600, rate_hz=1)
    far = ~beside(state, there, 1.5 * there.reach)
    assert state.dye_of(1)[far].max() < 0.65
    assert state.dye_of(1)[beside(state, there)].mean() > 0.7
    later = passed(state, LONG, (), 600, rate_hz=4)
    assert share(later, 1) / share(state, 1) == pytest.approx(LEFT_AFTER_600_S, rel=0.01)


# -- turbulence ---------------------------------------------------------------------------------


def test_arrival_stirs_movement_stirs_and_leaving_calms(calm: river.RiverState) -> None:
    assert calm.turbulence.max() == 0
    arrived = passed(calm, SETTINGS, [visit(1, motion=0.0)], 0.5)
    assert arrived.turbulence.max() > 0.5
    still = passed(arrived, SETTINGS, [visit(1, motion=0.0)], 15)
    assert still.turbulence.max() < 0.05
    moving = passed(still, SETTINGS, [visit(1, motion=1.0)], 5)
    assert moving.turbulence.max() > 0.3
    left = passed(moving, SETTINGS, (), 15)
    assert left.turbulence.max() < 0.05


def test_the_wildest_water_is_calm_after_15_s(calm: river.RiverState) -> None:
    wild = replace(calm, turbulence=np.ones(96, np.float32))
    assert passed(wild, SETTINGS, (), 15).turbulence.max() < 0.05


def test_turbulence_is_the_same_at_any_rate(calm: river.RiverState) -> None:
    means = []
    for rate_hz in RATES_HZ:
        state = calm
        for n in range(4 * rate_hz):
            there = visit(1, motion=0.8, presence=min(1.0, n / rate_hz))
            state = river.step(state, SETTINGS, [there], 1 / rate_hz)
        means.append(state.turbulence.mean())
    assert max(means) / min(means) < 1.03


# -- time ---------------------------------------------------------------------------------------


def test_time_is_steps_times_their_length(calm: river.RiverState) -> None:
    moment = river.Moment(1, 0.0, 10**9, 1 / 30)
    for _ in range(30):
        moment = moment.later(1 / 30)
    assert moment.time_s == (10**9 + 30) * (1 / 30)
    assert moment.later(0.5).time_s == moment.time_s + 0.5
    assert passed(calm, SETTINGS, (), 3).time_s == 3.0


def test_only_whole_steps_are_taken(calm: river.RiverState) -> None:
    state = river.advance(calm, SETTINGS, (), 1.02)
    assert (state.moment.steps, state.time_s) == (30, 1.0)
    assert river.advance(state, SETTINGS, (), 1.03) is state


def test_the_rate_of_drawn_pictures_changes_nothing(calm: river.RiverState) -> None:
    hashes = set()
    for frame_hz in (24, 30, 60):
        state = calm
        for n in range(1, 4 * frame_hz + 1):
            state = river.advance(state, SETTINGS, [visit(1)], n / frame_hz)
        hashes.add(river.state_hash(state))
    assert len(hashes) == 1


def test_parcels_come_round_after_the_loop(calm: river.RiverState) -> None:
    state = passed(calm, SETTINGS, (), 150, rate_hz=10)
    first = slice(0, 16)  # the stream that takes exactly loop_s
    assert np.allclose(state.place[first], calm.place[first], atol=1e-9)
    assert np.all((state.place >= 0) & (state.place < 1))


@pytest.mark.parametrize("dt_s", [0.0, -0.1, float("nan"), float("inf")])
def test_time_goes_forward_only(calm: river.RiverState, dt_s: float) -> None:
    with pytest.raises(SettingsError, match="step"):
        river.step(calm, SETTINGS, (), dt_s)


# -- certainty ----------------------------------------------------------------------------------


def test_a_step_leaves_the_old_state_as_it_was(calm: river.RiverState) -> None:
    before = river.state_hash(calm)
    passed(calm, SETTINGS, [visit(1, motion=1.0)], 1)
    assert river.state_hash(calm) == before


def test_a_state_that_may_be_used_up_flows_the_same_way() -> None:
    kept, used = (river.start(SETTINGS, densities(), 3, ASPECT) for _ in range(2))
    for second in range(1, 13):
        here = [visit(n, motion=0.3) for n in range(1, 1 + second % 4)]
        kept = river.advance(kept, SETTINGS, here, second)
        used = river.advance(used, SETTINGS, here, second, consume=True)
        assert river.state_hash(kept) == river.state_hash(used)


def test_seed_and_input_decide_every_bit() -> None:
    def run(seed: int, x: float) -> str:
        state = river.start(SETTINGS, densities(), seed, ASPECT)
        return river.state_hash(passed(state, SETTINGS, [visit(1, x)], 2))

    assert run(1, 0.9) == run(1, 0.9)
    assert len({run(1, 0.9), run(2, 0.9), run(1, 0.901)}) == 3


def test_a_faulty_visit_is_refused_and_the_river_is_not_poisoned(calm: river.RiverState) -> None:
    state = passed(calm, SETTINGS, (), 0.2)
    sick = visit(1)
    sick.latents[0, 0] = np.nan
    with pytest.raises(ShapeError, match="visit 1"):
        passed(state, SETTINGS, [sick], 0.2)
    assert np.isfinite(passed(state, SETTINGS, (), 0.2).water).all()


PLAIN = """
from waters import ASPECT, densities, passed, visit
from mirror.river import river
from mirror.settings import RiverSettings
state = river.start(RiverSettings(), densities(), 1, ASPECT)
visits = [visit(1, 0.6, motion=1.0), visit(2, 1.2, reach=0.2)]
state = passed(state, RiverSettings(), visits, 8)
print(river.state_hash(passed(state, RiverSettings(), (), 8)))
"""


def test_a_plainer_processor_makes_the_same_river() -> None:
    assert len(outputs(PLAIN)) == 1


# -- weeks --------------------------------------------------------------------------------------

WEEK = replace(SETTINGS, parcels=12, source_refresh_s=240.0, visit_slots=6)
WEEK_STEP_S = 60.0


def test_no_value_leaves_its_bounds_in_a_week_of_visitors() -> None:
    schools = densities()
    state = river.start(WEEK, schools, seed=3, aspect=ASPECT)
    spread = [
        s.latent(np.full(s.coordinates, FURTHEST), state.source.gain) - s.mean for s in schools
    ]
    reach = np.max([np.abs(s.shape_basis).sum(axis=0) for s in schools], axis=0)
    limit = np.max(np.abs(spread), axis=0) + np.max([np.abs(s.mean) for s in schools], axis=0)
    limit[3 : 3 + SHAPE] += reach * FURTHEST * state.source.gain
    sizes = set()
    for n in range(int(7 * DAY_S / WEEK_STEP_S)):
        number = n // 25 + 1  # one visit in 25 minutes, of five
        visits = [visit(number, x=(number % 17) / 10, motion=2.0)] if n % 25 < 5 else []
        if visits:
            limit = np.maximum(limit, np.abs(visits[0].latents).max(axis=0))
        state = river.step(state, WEEK, visits, WEEK_STEP_S)
        assert np.all(np.abs(state.latent) <= limit + 1e-4)
        assert state.dye.min() > -1e-6
        assert state.dye.max() < 1 + 1e-6
        assert 0 <= state.turbulence.min() <= state.turbulence.max() <= 1
        assert 0 <= state.place.min() <= state.place.max() < 1
        sizes.add(sum(array.nbytes for array in river.arrays(state).values()))
    assert len(sizes) == 1  # memory is flat
    assert np.abs(state.dye.sum(axis=1) - 1).max() < 1e-6
    assert np.abs(state.latent[:, -WITNESSES] - state.dye[:, 0]).max() < 1e-4


def test_no_state_of_an_empty_week_comes_again() -> None:
    """Latents every five minutes: none comes nearer to another than two a minute apart are.

    Distances are root mean squares over all parcels and coordinates, in standard deviations.
    """
    schools = densities()
    state = river.start(WEEK, schools, seed=3, aspect=ASPECT)
    codes = slice(3 + SHAPE, 3 + SHAPE + CODE)
    seen, minute = [], []
    for n in range(int(7 * DAY_S / WEEK_STEP_S)):
        state = river.step(state, WEEK, (), WEEK_STEP_S)
        if n % 5 == 0:
            seen.append(state.latent[:, codes].ravel())
        if n % 5 == 1:
            minute.append(np.sqrt(np.mean((state.latent[:, codes].ravel() - seen[-1]) ** 2)))
    states = np.array(seen, np.float64)  # (2016, P * C)
    square = np.sum(states**2, axis=1)
    distance = np.sqrt(
        np.maximum(square[:, None] + square - 2 * states @ states.T, 0) / states.shape[1]
    )
    lag = np.abs(np.arange(len(states))[:, None] - np.arange(len(states)))
    nearest = distance[lag >= 2].min()
    assert len(states) == 2016
    assert nearest > np.max(minute)
    assert nearest > 0.3


# -- the shell ----------------------------------------------------------------------------------


def test_mixtures_come_back_to_the_shell() -> None:
    luck = np.random.default_rng(1)
    people = luck.standard_normal((200, 48)).astype(np.float32)
    mixed = 0.5 * (people[:100] + people[100:])
    mixed = np.concatenate([mixed, 0.1 * people, 3 * people, people])
    mean, low, high = 6.9, 5.8, 8.0
    norm = np.linalg.norm(river.on_shell(mixed, mean, low, high), axis=1)
    assert norm.min() >= low
    assert norm.max() <= high
    typical = people * (mean / np.linalg.norm(people, axis=1))[:, None]
    assert np.allclose(river.on_shell(typical, mean, low, high), typical, atol=1e-5)


def test_the_shell_keeps_directions_and_never_jumps() -> None:
    one, other = np.random.default_rng(2).standard_normal((2, 48)).astype(np.float32)
    way = np.linspace(0, 1, 2001)[:, None].astype(np.float32)
    walk = river.on_shell(one + way * (other - one), 6.9, 5.8, 8)
    assert np.linalg.norm(np.diff(walk, axis=0), axis=1).max() < 0.02
    scaled = river.on_shell(way * one, 6.9, 5.8, 8.0)
    assert np.linalg.norm(np.diff(scaled, axis=0), axis=1).max() < 0.2
    assert scaled[0].tolist() == [0.0] * 48
    assert np.corrcoef(scaled[7], one)[0, 1] > 0.9999


def test_a_long_mixed_river_is_as_varied_as_at_the_start(calm: river.RiverState) -> None:
    def variety(state: river.RiverState) -> float:
        codes = state.latent[:, 3 + SHAPE : 3 + SHAPE + CODE]
        shell = river.on_shell(codes, 2.35, 1.7, 3.0)
        apart = shell[:, None] - shell[None]
        return float(np.sqrt((apart**2).sum(axis=-1)).mean())

    state = passed(calm, LONG, [visit(1, motion=1.0)], 600, rate_hz=3)
    state = passed(state, LONG, (), 1800, rate_hz=0.5)
    assert variety(state) > 0.8 * variety(calm)
    assert state.latent.shape == (96, WIDTH)
