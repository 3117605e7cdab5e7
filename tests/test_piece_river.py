"""The river: portraits rise for whoever stands there, stay beside them, and leave room."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from moments import (
    LATENTS,
    LOOP_S,
    WIDE,
    crowded,
    moment,
    nobody,
    somebody,
    visit,
)

from mirror import SCHOOLS
from mirror.canonical import Mesh
from mirror.pieces import PIECES, Moment
from mirror.river.streams import bed, first_places
from mirror.signals import Floats


def test_portraits_beside_a_visitor_rise_and_follow(mesh: Mesh) -> None:
    here = moment(mesh, 2.0, lambda _: (visit(1, 0.9, 1.0),))
    arrangement = PIECES["river"](here)
    portraits = arrangement.portraits
    near = np.linalg.norm(portraits.centre - (0.9, 0.5), axis=1) < 0.3
    nobody_here = PIECES["river"](moment(mesh, 2.0))
    calm = dict(zip(nobody_here.parcel.tolist(), nobody_here.portraits.vertices))
    risen = near & (portraits.opacity > 0.9)
    assert risen.any()
    follows = mesh.frame.mean + 0.002
    for parcel, vertices in zip(arrangement.parcel[risen], portraits.vertices[risen]):
        assert int(parcel) not in calm or np.abs(vertices - calm[int(parcel)]).max() > 0.01
        assert vertices[1, 0] < follows[1, 0]  # the nose has turned with the visitor's
    assert portraits.height[risen].min() > np.median(portraits.height[~near])
    assert np.flatnonzero(risen).min() > np.median(np.flatnonzero(~near))  # drawn over the others


def test_what_has_risen_stays_beside_the_visitor_while_the_stream_flows_on(mesh: Mesh) -> None:
    """And where the visitor goes, it goes: of each stream, in one place."""
    of, still = bed(96), np.zeros(96, np.float32)
    first, alike = first_places(of, 1), np.zeros((96, LATENTS.shape[1]), np.float32)

    def held(time_s: float, x: float) -> Floats:
        """Middles of the risen portraits, one row a stream."""
        place = ((first + time_s / LOOP_S) % 1.0).astype(np.float32)
        guest = (visit(1, x, 1.0),)
        now = Moment(time_s, WIDE, of.stream, place, alike, still, guest, mesh, 1)
        arrangement = PIECES["river"](now)
        portraits, stream = arrangement.portraits, of.stream[arrangement.parcel]
        risen = portraits.opacity > 0.9
        risen &= np.linalg.norm(portraits.centre - guest[0].place, axis=1) < 0.3
        rows = [portraits.centre[risen & (stream == n)] for n in (2, 4)]
        return np.array([row.mean(axis=0) for row in rows])

    middles = np.stack([held(time_s, 0.9) for time_s in np.arange(0.0, 12.0, 0.5)])
    flowed = 12.0 / LOOP_S * (WIDE + 0.6)
    assert np.ptp(middles[:, :, 0], axis=0).max() < 0.25 * flowed
    moved = held(4.0, 1.0) - held(4.0, 0.9)
    assert np.abs(moved[:, 0] - 0.1).max() < 0.03


def test_who_sways_takes_the_same_portraits_along(mesh: Mesh) -> None:
    def risen(x: float, stands: float) -> list[int]:
        guest = replace(visit(1, x, 1.0), stands=np.array([stands, 0.5], np.float32))
        arrangement = PIECES["river"](crowded(moment(mesh, 5.0, lambda _: (guest,))))
        portraits = arrangement.portraits
        near = np.linalg.norm(portraits.centre - guest.place, axis=1) < 0.35
        return sorted(arrangement.parcel[near & (portraits.opacity > 0.9)].tolist())

    assert risen(0.84, 0.9) == risen(0.96, 0.9)
    assert risen(0.84, 0.84) != risen(0.96, 0.96)


def test_whoever_has_risen_seldom_has_a_twin(mesh: Mesh) -> None:
    """Neighbours in a stream become alike beside a visitor: two side by side are seen no longer
    than the one gives way to the other."""
    of, still = bed(96), np.zeros(96, np.float32)
    first, alike = first_places(of, 1), np.zeros((96, LATENTS.shape[1]), np.float32)
    twins = []
    for time_s in np.arange(0.0, 60.0):
        place = ((first + time_s / LOOP_S) % 1.0).astype(np.float32)
        guest = (visit(1, 0.9, 1.0),)
        now = Moment(float(time_s), WIDE, of.stream, place, alike, still, guest, mesh, 1)
        arrangement = PIECES["river"](now)
        portraits, stream = arrangement.portraits, of.stream[arrangement.parcel]
        away = np.linalg.norm(portraits.centre - guest[0].place, axis=1)
        for n in np.flatnonzero((portraits.opacity > 0.8) & (away < 0.35)):
            near = np.linalg.norm(portraits.centre - portraits.centre[n], axis=1) < 0.3
            seen = near & (portraits.opacity > 0.4) & (stream == stream[n])
            twins.append(np.count_nonzero(seen) > 1)
    assert len(twins) > 50
    assert np.mean(twins) < 0.7


def test_portraits_far_from_the_visitor_do_not_change(mesh: Mesh) -> None:
    here = PIECES["river"](moment(mesh, 2.0, lambda _: (visit(1, 0.3, 1.0),)))
    calm = PIECES["river"](moment(mesh, 2.0))
    before = dict(zip(calm.parcel.tolist(), calm.portraits.vertices))
    far = here.portraits.centre[:, 0] > 1.2
    assert far.sum() > 3
    for parcel, vertices in zip(here.parcel[far], here.portraits.vertices[far]):
        assert (before[int(parcel)] == vertices).all()


@pytest.mark.parametrize("aspect", [WIDE, 0.6, 4.0])
def test_the_border_cuts_no_face_that_can_be_seen_well(mesh: Mesh, aspect: float) -> None:
    """A face is half as high and as wide as its square."""
    for come in (nobody, partial(somebody, aspect)):
        for time_s in np.arange(0.0, 150.0, 3.1):
            portraits = PIECES["river"](moment(mesh, time_s, come, aspect)).portraits
            rim = np.minimum(portraits.centre, np.array([aspect, 1.0]) - portraits.centre)
            cut = rim.min(axis=1) < 0.2 * portraits.height
            assert portraits.opacity[cut].max(initial=0.0) < 0.4


@pytest.mark.parametrize("aspect", [0.5, 9 / 16, 1.0, WIDE, 4.0])
def test_portraits_that_rise_for_a_visitor_have_room_in_every_format(
    mesh: Mesh, aspect: float
) -> None:
    """Three of different streams fit side by side, each half as wide as its square."""
    for time_s in (2.0, 47.0, 80.0):
        here = crowded(moment(mesh, time_s, partial(somebody, aspect), aspect))
        portraits = PIECES["river"](here).portraits
        assert (portraits.opacity > 0.8).any()
        largest = [
            portraits.height[here.stream[portraits.slot] == stream].max(initial=0.0)
            for stream in range(len(SCHOOLS))
        ]
        assert 0.5 * sum(sorted(largest)[-3:]) < 1.1 * aspect


def test_the_largest_that_rises_is_in_front_and_near_its_visitor(mesh: Mesh) -> None:
    """In a stream whose painter visitors are known in best, not in marble."""
    for time_s in (2.0, 47.0, 80.0):
        here = crowded(moment(mesh, time_s, partial(somebody, WIDE)))
        portraits = PIECES["river"](here).portraits
        largest = int(portraits.height.argmax())
        assert largest == len(portraits.slot) - 1
        assert SCHOOLS[here.stream[portraits.slot[largest]]] == "limner"
        away = np.linalg.norm(portraits.centre[largest] - here.visits[0].place)
        assert away < here.visits[0].reach


def test_on_a_tall_screen_they_stand_above_one_another_on_a_wide_one_beside(mesh: Mesh) -> None:
    """Along the streams, for across them there is no room."""
    spread = {}
    for aspect in (9 / 16, WIDE):
        places = []
        for time_s in np.arange(2.0, 150.0, 4.0):
            there = partial(somebody, aspect)
            here = moment(mesh, float(time_s), there, aspect)
            portraits = PIECES["river"](here).portraits
            risen = portraits.opacity > 0.9
            places += list(portraits.centre[risen] - (aspect / 2, 0.5))
        spread[aspect] = np.std(places, axis=0)
    assert spread[9 / 16][1] > 1.6 * spread[9 / 16][0]
    assert spread[WIDE][0] > 1.3 * spread[WIDE][1]
