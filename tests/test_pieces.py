"""The pieces: portraits come, move and go without a jump, and nobody is needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from moments import (
    LATENTS,
    PARCELS,
    STREAM,
    WIDE,
    Coming,
    a_crowd,
    arrive_and_leave,
    crowded,
    moment,
    nobody,
    visit,
)

from mirror.canonical import Mesh
from mirror.latents.latents import APPEARANCE
from mirror.pieces import PIECES
from mirror.pieces.arrangement import GONE, draw, follow, hashed, nothing, smoothstep
from mirror.pieces.passersby import STAY_S, _chosen
from mirror.signals import Floats, Portraits, Visit

#: No faster than this may anything on the screen change without looking like a cut, a second:
#: in a hundredth of a second opacity by 0.08, place and height by as much of the screen.
FASTEST = 8.0
STEP_S = 1 / 100

Drawn = dict[int, list[tuple[float, Floats, float, Floats]]]


def drawn(portraits: Portraits) -> Drawn:
    """Parcel -> opacity, centre, height and some vertices of each time that it is drawn."""
    found: Drawn = {}
    for n, slot in enumerate(portraits.slot):
        one = (float(portraits.opacity[n]), portraits.centre[n], float(portraits.height[n]))
        found.setdefault(int(slot), []).append((*one, portraits.vertices[n, ::30]))
    return found


def hidden(centre: Floats, height: float, aspect: float) -> bool:
    """Whether a portrait lies off the screen but for the rim of its square, which is clear."""
    half = 0.9 * height / 2
    return bool((centre < -half).any() or (centre > np.array([aspect, 1.0]) + half).any())


def jumps(before: Drawn, after: Drawn, step_s: float, aspect: float) -> list[str]:
    """What changed faster than it may between two pictures, in words."""
    most = FASTEST * step_s
    found = []
    for slot in before.keys() | after.keys():
        old, new = list(before.get(slot, [])), list(after.get(slot, []))
        while old and new:
            here = old.pop()
            other = min(new, key=lambda n: float(np.linalg.norm(n[1] - here[1])))
            new = [n for n in new if n is not other]
            if hidden(here[1], here[2], aspect) and hidden(other[1], other[2], aspect):
                continue
            weight = min(1.0, 4 * min(here[0], other[0]))
            moved = [np.abs(b - a).max() for a, b in zip(here[1:], other[1:])]
            told = f"parcel {slot}: {here[:3]} -> {other[:3]}"
            if abs(other[0] - here[0]) > most or max(moved) * weight > most:
                found.append(told)
        for opacity, centre, height, _ in old + new:
            if opacity > most + 0.004 and not hidden(centre, height, aspect):
                found.append(f"parcel {slot} cut at {opacity:.3f}")
    return found


def all_jumps(
    mesh: Mesh, piece: str, times: Iterable[float], come: Coming, aspect: float = WIDE
) -> list[str]:
    found, before, last_s = [], None, 0.0
    for time_s in times:
        now = drawn(PIECES[piece](moment(mesh, time_s, come, aspect)).portraits)
        if before is not None:
            told = jumps(before, now, time_s - last_s, aspect)
            found += [f"{time_s:.3f} s {each}" for each in told]
        before, last_s = now, time_s
    return found


@pytest.mark.parametrize("piece", ["river", "uncanny"])
@pytest.mark.parametrize("come", [arrive_and_leave, a_crowd])
def test_nothing_jumps_when_visitors_arrive_cross_and_leave(
    mesh: Mesh, piece: str, come: Coming
) -> None:
    assert all_jumps(mesh, piece, np.arange(0, 4.4, STEP_S), come) == []


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("aspect", [WIDE, 0.6])
def test_nothing_jumps_while_nobody_is_there(mesh: Mesh, piece: str, aspect: float) -> None:
    """Two minutes, every moment looked at a second time a little later."""
    found = []
    for time_s in np.arange(0.0, 120.0, 0.37):
        found += all_jumps(mesh, piece, (time_s, time_s + STEP_S), nobody, aspect)
    assert found == []


def test_a_jump_would_be_seen(mesh: Mesh) -> None:
    """The measure itself: a portrait cut out, moved, or grown at once."""
    calm = PIECES["uncanny"](moment(mesh, 1.0)).portraits
    before = drawn(calm)
    for change in (
        {"opacity": calm.opacity * 0.8},
        {"centre": calm.centre + np.float32(0.1)},
        {"height": calm.height * np.float32(1.1)},
        {"vertices": calm.vertices + np.float32(0.1)},
    ):
        assert jumps(before, drawn(replace(calm, **change)), STEP_S, WIDE)
    assert jumps(before, {}, STEP_S, WIDE)
    assert jumps(before, before, STEP_S, WIDE) == []


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_is_the_same_at_every_run_and_another_with_another_seed(
    mesh: Mesh, piece: str
) -> None:
    for come in (nobody, a_crowd):
        one, two = (PIECES[piece](moment(mesh, 9.7, come)) for _ in range(2))
        assert (one.parcel == two.parcel).all()
        for name in ("slot", "centre", "height", "opacity", "vertices"):
            assert (getattr(one.portraits, name) == getattr(two.portraits, name)).all()
    if piece != "uncanny":  # which draws nothing by lot
        other = PIECES[piece](moment(mesh, 9.7, seed=2))
        assert list(other.parcel) != list(PIECES[piece](moment(mesh, 9.7)).parcel)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("aspect", [WIDE, 1.0, 0.5, 4.0])
def test_nobody_is_needed(mesh: Mesh, piece: str, aspect: float) -> None:
    for time_s in np.arange(12.0, 150.0, 7.0):
        portraits = PIECES[piece](moment(mesh, time_s, nobody, aspect)).portraits
        inside = [not hidden(c, h, aspect) for c, h in zip(portraits.centre, portraits.height)]
        assert portraits.opacity[inside].max() > 0.5


@pytest.mark.parametrize("piece", PIECES)
def test_what_is_drawn_is_fit_for_the_screen(mesh: Mesh, piece: str) -> None:
    for time_s in (0.0, 2.0, 30.0, 1e6):
        arrangement = PIECES[piece](moment(mesh, time_s, a_crowd))
        portraits, count = arrangement.portraits, len(arrangement.parcel)
        assert (portraits.slot == arrangement.parcel).all()
        assert ((portraits.slot >= 0) & (portraits.slot < PARCELS)).all()
        assert portraits.centre.shape == (count, 2)
        assert portraits.vertices.shape == (count, len(mesh.rest), 3)
        assert ((portraits.opacity > 0) & (portraits.opacity <= 1)).all()
        assert (portraits.height > 0).all()
        kinds = [getattr(portraits, n).dtype for n in ("centre", "height", "opacity", "vertices")]
        assert kinds == [np.float32] * 4
        assert all(np.isfinite(getattr(portraits, n)).all() for n in ("centre", "vertices"))


# Uncanny


def test_one_sitter_has_the_middle_and_two_stand_as_they_stand(mesh: Mesh) -> None:
    def centres(*guests: Visit) -> list[float]:
        here = moment(mesh, 1.0, lambda _: guests)
        return np.unique(PIECES["uncanny"](here).portraits.centre[:, 0].round(4)).tolist()

    assert centres(visit(1, 0.2, 1.0)) == pytest.approx([WIDE / 2], abs=1e-3)
    both = (visit(1, 0.2, 1.0), visit(2, 1.5, 1.0))
    assert centres(*both) == pytest.approx([WIDE / 4, 3 * WIDE / 4], abs=1e-3)
    assert centres(*both[::-1]) == pytest.approx([WIDE / 4, 3 * WIDE / 4], abs=1e-3)


def test_four_sitters_share_the_screen_side_by_side(mesh: Mesh) -> None:
    guests = [visit(id, 0.3 + 0.35 * id, 1.0) for id in range(1, 5)]
    portraits = PIECES["uncanny"](moment(mesh, 1.0, lambda _: guests)).portraits
    middles = np.unique(portraits.centre[:, 0].round(3))
    assert np.diff(middles) == pytest.approx([WIDE / 4] * 3, abs=1e-2)
    assert (portraits.height < 0.8).all()


def test_a_sitters_portrait_follows_and_moves_through_all_schools(mesh: Mesh) -> None:
    schools = set()
    for time_s in np.arange(0.0, 90.0, 5.0):
        here = moment(mesh, time_s, lambda _: (visit(1, 0.9, 1.0),))
        arrangement = PIECES["uncanny"](here)
        schools |= set(STREAM[arrangement.parcel].tolist())
        nose = arrangement.portraits.vertices[:, 1]
        assert (nose[:, 0] < mesh.frame.mean[1, 0] - 0.05).all()  # turned as the visitor is
    assert schools == set(range(6))


def test_another_sitters_leaving_changes_nobodys_portrait(mesh: Mesh) -> None:
    one, two = visit(1, 0.4, 0.0), visit(2, 1.3, 1.0)
    both = PIECES["uncanny"](moment(mesh, 3.0, lambda _: (one, two)))
    alone = PIECES["uncanny"](moment(mesh, 3.0, lambda _: (two,)))
    assert list(both.parcel) == list(alone.parcel)


@pytest.mark.parametrize("piece", ["uncanny", "passersby"])
def test_who_gives_way_becomes_the_other(mesh: Mesh, piece: str) -> None:
    """Two in one place have one geometry, eyes on eyes."""
    pairs = 0
    for time_s in np.arange(24.0, 90.0, 0.7):
        portraits = PIECES[piece](moment(mesh, time_s)).portraits
        for one in range(len(portraits.slot)):
            for other in range(one):
                if (portraits.centre[one] == portraits.centre[other]).all():
                    pairs += 1
                    assert (portraits.vertices[one] == portraits.vertices[other]).all()
    assert pairs > 10


# Passersby


def test_each_half_has_one_portrait_or_two_that_give_way(mesh: Mesh) -> None:
    for time_s in np.arange(10.0, 120.0, 1.7):
        arrangement = PIECES["passersby"](moment(mesh, time_s))
        left = arrangement.portraits.centre[:, 0] < WIDE / 2
        for half, schools in ((left, {0, 1, 2}), (~left, {3, 4, 5})):
            assert 1 <= half.sum() <= 2
            assert set(STREAM[arrangement.parcel[half]].tolist()) <= schools


def test_passersby_come_and_go_in_endless_variety(mesh: Mesh) -> None:
    seen = [
        tuple(PIECES["passersby"](moment(mesh, time_s)).parcel.tolist())
        for time_s in np.arange(12.0, 1800.0, 11.0)
    ]
    assert len(set(seen)) > 0.6 * len(seen)


def test_passersby_of_a_week_come_in_no_order_that_comes_again(mesh: Mesh) -> None:
    """Eight that follow each other in one half never follow each other again."""
    here = crowded(moment(mesh, 0.0))
    for half, stay_s in enumerate(STAY_S):
        turns = int(7 * 86_400 / stay_s)
        order = [_chosen(here, half, number) for number in range(turns)]
        runs = {tuple(order[n : n + 8]) for n in range(turns - 7)}
        assert len(runs) == turns - 7


# What the pieces share


def test_smoothstep_is_flat_at_both_ends() -> None:
    x = np.linspace(-1, 3, 401, dtype=np.float32)
    y = smoothstep(0.0, 2.0, x)
    assert (y[x <= 0] == 0).all()
    assert (y[x >= 2] == 1).all()
    assert (np.diff(y) >= 0).all()
    assert y[200] == pytest.approx(0.5)
    assert max(y[101], 1 - y[299]) < 1e-3


def test_hashed_numbers_are_even_and_below_one() -> None:
    numbers = hashed(np.arange(100_000), 5, 3)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert np.histogram(numbers, 10, (0, 1))[0] / 10_000 == pytest.approx(np.ones(10), abs=0.05)
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.02
    assert hashed(np.array([14_997_898]), 0, 1)[0] < 1  # of 2**32 - 50, which rounds to 2**32


def test_hashed_numbers_depend_on_seed_and_salt() -> None:
    plain = hashed(np.arange(100), 1, 1)
    assert (plain == hashed(np.arange(100), 1, 1)).all()
    assert not (plain == hashed(np.arange(100), 2, 1)).any()
    assert not (plain == hashed(np.arange(100), 1, 2)).any()


def test_what_follows_takes_geometry_and_keeps_its_appearance() -> None:
    guests = (visit(1, 0.5, 1.0),)
    firm = np.array([[0.0, 0.5, 1.0]], np.float32)
    held = follow(LATENTS[:3], STREAM[:3], firm, guests)
    wanted = guests[0].latents[STREAM[:3]]
    assert (held[:, -APPEARANCE:] == LATENTS[:3, -APPEARANCE:]).all()
    assert (held[0] == LATENTS[0]).all()
    assert held[2, :-APPEARANCE] == pytest.approx(wanted[2, :-APPEARANCE], abs=1e-6)
    middle = (LATENTS[1] + wanted[1]) / 2
    assert held[1, :-APPEARANCE] == pytest.approx(middle[:-APPEARANCE], abs=1e-6)
    assert (follow(LATENTS, STREAM, np.zeros((0, PARCELS), np.float32), ()) == LATENTS).all()


def test_two_who_hold_the_same_portrait_share_it() -> None:
    one, two = visit(1, 0.5, 1.0), visit(2, 0.6, 1.0)
    turned = two.latents.copy()
    turned[:, 0] = -0.3
    hold = np.full((2, 1), 0.8, np.float32)
    held = follow(LATENTS[:1], STREAM[:1], hold, (one, replace(two, latents=turned)))
    assert held[0, 0] == pytest.approx(0.2 * LATENTS[0, 0], abs=1e-6)  # +0.3 and -0.3


def test_a_head_turned_too_far_dissolves(mesh: Mesh) -> None:
    turned = LATENTS[:2].copy()
    turned[:, :3] = ((0.2, 0.0, 0.0), (GONE, 0.0, 0.0))
    ones = np.ones(2, np.float32)
    centre = np.zeros((2, 2), np.float32)
    arrangement = draw(moment(mesh, 0.0), np.array([0, 1]), turned, centre, ones, ones)
    assert list(arrangement.parcel) == [0]


def test_nothing_is_an_arrangement_of_no_portraits(mesh: Mesh) -> None:
    empty = nothing(len(mesh.rest))
    assert empty.vertices.shape == (0, len(mesh.rest), 3)
    assert [len(getattr(empty, n)) for n in ("slot", "centre", "height", "opacity")] == [0] * 4
