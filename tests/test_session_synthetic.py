"""Sitters that never lived come, turn, speak, blink and leave, the same ones for the same seed."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from mirror.canonical import load_frame
from mirror.errors import SessionError
from mirror.latents.latents import remove_pose
from mirror.session import open_session, survey
from mirror.session.puppet import PROPORTIONS, Pose, make_puppet, place
from mirror.session.synthetic import synthesise, write_synthetic
from mirror.signals import Sitters
from tests.recordings import bits

RATE_HZ = 15.0
FRAME = load_frame()
UPPER_LIP, LOWER_LIP = 13, 14
RIGHT_LIDS = (159, 145)


@pytest.fixture(scope="module")
def minute() -> list[Sitters]:
    return list(synthesise(60.0, 1, RATE_HZ))


def apart(markers: np.ndarray, one: int, other: int) -> float:
    return float(np.linalg.norm((markers[one] - markers[other])[:2]))


def test_the_same_seed_gives_the_same_sitters_and_another_gives_others() -> None:
    one, again, other = (list(synthesise(10.0, seed, RATE_HZ)) for seed in (1, 1, 2))
    assert [bits(s) for s in one] == [bits(s) for s in again]
    assert [bits(s) for s in one] != [bits(s) for s in other]


def test_a_minute_has_its_every_moment(minute: list[Sitters]) -> None:
    assert [s.time_s for s in minute] == [step / RATE_HZ for step in range(900)]


def test_visits_are_whole_and_ids_count_up(minute: list[Sitters]) -> None:
    present: set[int] = set()
    arrived: list[int] = []
    for moment in minute:
        arrived += moment.arrived
        present |= set(moment.arrived)
        present -= set(moment.left)
        assert {sitter.id for sitter in moment.sitters} == present
    assert arrived == list(range(1, len(arrived) + 1)) and len(arrived) >= 3
    assert present == set()


@pytest.mark.parametrize("seed", range(5))
def test_there_is_nobody_one_and_two_and_the_room_is_empty_at_both_ends(seed: int) -> None:
    counts = [len(moment.sitters) for moment in synthesise(60.0, seed, 5.0)]
    assert {0, 1, 2} == set(counts)
    assert counts[0] == counts[-1] == 0
    assert sum(count > 0 for count in counts) > 0.6 * len(counts)


def test_presence_rises_from_nothing_and_falls_before_leaving(minute: list[Sitters]) -> None:
    for id in (1, 2):
        presence = [s.presence for m in minute for s in m.sitters if s.id == id]
        assert presence[0] < 0.1 and presence[-1] < 0.2
        assert max(presence) == 1.0
        assert all(0 <= p <= 1 for p in presence)


def test_markers_lie_on_the_grid_and_in_the_picture(minute: list[Sitters]) -> None:
    for moment in minute[::10]:
        for sitter in moment.sitters:
            steps = sitter.markers.astype(np.float64) * 8192
            assert np.array_equal(steps, np.round(steps))
            assert sitter.markers[:, :2].min() > -0.02 and sitter.markers[:, :2].max() < 1.02


def test_a_sitter_walks_in_turns_speaks_blinks_and_stands(minute: list[Sitters]) -> None:
    faces = [
        s.markers * np.array([16 / 9, 1, 16 / 9]) for m in minute for s in m.sitters if s.id == 1
    ]
    motion = [s.motion for m in minute for s in m.sitters if s.id == 1]
    eye_width = apart(faces[len(faces) // 2], 33, 133)
    mouth = np.array([apart(face, UPPER_LIP, LOWER_LIP) for face in faces]) / eye_width
    lids = np.array([apart(face, *RIGHT_LIDS) for face in faces]) / eye_width
    yaw = np.array([remove_pose(f.astype(np.float32), 1.0, FRAME)[0][0] for f in faces[::5]])
    assert mouth.min() < 0.1 and mouth.max() > 0.4
    assert lids.min() < 0.1 and np.median(lids) > 0.2
    assert np.ptp(yaw) > np.radians(30)
    assert max(motion) > 1.0 > np.median(motion)


def test_no_two_faces_have_the_same_proportions(minute: list[Sitters]) -> None:
    seen: dict[int, np.ndarray] = {}
    for moment in minute:
        for sitter in moment.sitters:
            if sitter.presence == 1.0 and sitter.id not in seen:
                seen[sitter.id] = remove_pose(sitter.markers, sitter.aspect, FRAME)[1]
    shapes = list(seen.values())
    for one, other in itertools.combinations(shapes, 2):
        assert np.abs(one - other).max() > 0.02


@pytest.mark.parametrize(
    ("axis", "pose"), [(0, Pose(yaw=0.4)), (1, Pose(pitch=0.3)), (2, Pose(roll=-0.3))]
)
def test_a_turned_face_is_read_as_turned(axis: int, pose: Pose) -> None:
    puppet = make_puppet(FRAME, np.zeros(PROPORTIONS))
    markers = place(puppet.face(pose), (0.5, 0.5), 0.3, 16 / 9)
    told = (pose.yaw, pose.pitch, pose.roll)
    read = remove_pose(markers, 16 / 9, FRAME)[0]
    assert read[axis] == pytest.approx(told[axis], abs=0.06)
    assert np.abs(np.delete(read, axis)).max() < 0.06


def test_a_face_at_rest_is_the_canonical_one() -> None:
    rest = make_puppet(FRAME, np.zeros(PROPORTIONS)).face(Pose())
    assert np.abs(rest - FRAME.mean).max() < 1e-6


def test_the_jaw_moves_chin_and_lower_lip_and_neither_nose_nor_upper_lip() -> None:
    puppet = make_puppet(FRAME, np.zeros(PROPORTIONS))
    moved = np.abs(puppet.face(Pose(jaw=0.2)) - puppet.rest)[:, 1]
    height = puppet.height
    assert moved[LOWER_LIP] > 0.05 * height and moved[152] > 0.05 * height
    assert moved[[1, 4, UPPER_LIP, 0, 10, 33, 263]].max() < 0.005 * moved[LOWER_LIP]


def test_what_is_written_is_what_was_synthesised(tmp_path: Path) -> None:
    path = tmp_path / "sitters.mcap"
    size = write_synthetic(path, 9.0, 4, RATE_HZ)
    assert size == path.stat().st_size
    assert survey(path).is_intact
    wanted = [bits(s) for s in synthesise(9.0, 4, RATE_HZ)]
    assert [bits(s) for s in open_session(path).sitters()] == wanted
    write_synthetic(tmp_path / "again.mcap", 9.0, 4, RATE_HZ)
    assert path.read_bytes() == (tmp_path / "again.mcap").read_bytes()


def test_a_synthetic_session_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.mcap").write_bytes(b"mine")
    with pytest.raises(SessionError, match="exists already"):
        write_synthetic(tmp_path / "mine.mcap", 2.0, 1)
    with pytest.raises(SessionError, match="cannot be written"):
        write_synthetic(tmp_path / "none" / "a.mcap", 2.0, 1)
    assert (tmp_path / "mine.mcap").read_bytes() == b"mine"
