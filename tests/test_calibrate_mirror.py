"""`calibrate mirror`, in a true loop: a person walks from mark to mark as the screen shows them."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from http_camera import HttpCamera, encode
from loop import loop
from skimage.data import astronaut

from calibration.mirror_step import ACROSS, mirror_verdicts
from calibration.onlooker import Onlooker
from calibration.standing import INKS, Mark, Stand, draw_mark, fit_mirror, shown_at, watch_marks
from mirror.errors import SourceError
from mirror.latents.floor import place_of, weight_of
from mirror.markers.markers import find_faces
from mirror.screen.chart import Chart
from mirror.settings import CameraSettings, MarkerSettings, MirrorSettings, ScreenSettings
from mirror.site.site import read_site

SIZE, FACE_M = (640, 360), 0.19
needs_x = pytest.mark.skipif(
    shutil.which("Xvfb") is None, reason="no X server to test with: apt-get install xvfb"
)


@functools.lru_cache(maxsize=2)
def person(selfie: bool) -> tuple[np.ndarray, float, float, float]:
    """A person: a picture, the middle of the face in it and its height, pixels."""
    picture = np.ascontiguousarray(astronaut()[:, ::-1]) if selfie else astronaut()
    markers = find_faces(picture)[0] * len(picture)
    x, y = markers[:468, :2].mean(axis=0)
    return picture, float(x), float(y), float(np.ptp(markers[:, 1]))


@dataclass
class Room:
    """A screen with a camera on it, and a person before it: metres, from the screen's top left.

    camera_m: (2,), x to the right as the person sees it, y down. turn: tangent of the angle by
    which the camera is turned to the person's right. selfie: it swaps left and right itself.
    """

    camera_m: tuple[float, float] = (0.7, 0.3)
    screen_m: tuple[float, float] = (1.6, 0.9)
    focal_px: float = 400.0
    turn: float = 0.0
    tilt: float = 0.0
    selfie: bool = False
    lines_m: dict[str, float] = field(default_factory=lambda: {"near": 1.2, "far": 2.0})
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def stand(self, x: float, y: float, line: str) -> tuple[float, float, float]:
        """Where the camera sees a face that is before a place of the screen (shares), at a line:
        x and y in pixels of its picture as it comes, and the height of the face there."""
        away_m = self.lines_m[line]
        across = (x * self.screen_m[0] - self.camera_m[0]) / away_m - self.turn
        down = (y * self.screen_m[1] - self.camera_m[1]) / away_m - self.tilt
        u = self.focal_px * across * (1 if self.selfie else -1)  # who faces you has left and right
        height_px = self.focal_px * FACE_M / away_m
        return SIZE[0] / 2 + u, SIZE[1] / 2 + self.focal_px * down, height_px

    def __call__(self, film: np.ndarray) -> np.ndarray:
        """What the camera sees: nobody yet, or a person who has gone where the mark is."""
        picture = np.full((SIZE[1], SIZE[0], 3), 96, np.uint8)
        for line, ink in INKS.items():
            like = np.abs(film.astype(int) - ink).max(axis=2) < 40
            if like.sum() > 150:
                disc = cv2.moments(cv2.erode(like.astype(np.uint8), np.ones((9, 9))))
                if disc["m00"]:
                    x, y = disc["m10"] / disc["m00"], disc["m01"] / disc["m00"]
                    self._put_person(picture, x / SIZE[0], y / SIZE[1], line)
        noise = self.rng.normal(0, 3, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    def _put_person(self, picture: np.ndarray, x: float, y: float, line: str) -> None:
        u, v, height_px = self.stand(x, y, line)
        picture_of, face_x, face_y, face_px = person(self.selfie)
        scale = height_px / face_px
        shift = np.array([[scale, 0, u - scale * face_x], [0, scale, v - scale * face_y]])
        cv2.warpAffine(picture_of, shift, SIZE, picture, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)


@needs_x
@pytest.mark.parametrize(
    ("room", "flags"),
    [
        (Room(turn=0.1, tilt=0.05), ("--eye-level", "0.45")),
        (Room(camera_m=(1.0, 0.1), tilt=0.25, selfie=True), ("--near-only",)),
    ],
)
def test_left_and_right_and_the_place_are_found(
    room: Room, flags: tuple[str, ...], tmp_path: Path, root: Path
) -> None:
    site = tmp_path / "foyer.toml"
    with loop(SIZE, room, 12.0, 0.1) as (display, camera):
        ran = subprocess.run(
            [sys.executable, "-m", "calibration", "mirror", "--site", str(site), "--source",
             camera.url, "--walk", "0.6", "--yes", "--json", "-", *flags],
            cwd=root, env={**os.environ, "DISPLAY": display.name},
            capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr + ran.stdout
    told = {each["key"]: each for each in json.loads(ran.stdout)["verdicts"]}
    assert told["mirror.direction"]["value"] == 1.0
    found = read_site(str(site))
    assert found.camera.mirror is not room.selfie
    assert found.measured.mirror_right == 1.0
    assert found.measured.mirror_place is not None
    assert found.measured.mirror_place < 0.03
    for line in ("near",) if "--near-only" in flags else ("near", "far"):
        for x in (0.1, 0.35, 0.65, 0.9):  # other places than the marks
            u, v, height_px = room.stand(x, 0.45, line)
            seen = 1 - u / SIZE[0] if found.camera.mirror else u / SIZE[0]
            middle = np.array((seen, v / SIZE[1]), np.float32)
            place = place_of(middle, height_px / SIZE[1], 16 / 9, 16 / 9, found.mirror)
            assert place[0] / (16 / 9) == pytest.approx(x, abs=0.05)
            if "--eye-level" in flags:
                assert place[1] == pytest.approx(0.45, abs=0.06)
    if "--near-only" not in flags:
        assert found.mirror.camera_x == pytest.approx(0.7 / 1.6, abs=0.08)
        tall = [room.stand(0.5, 0.45, line)[2] / SIZE[1] for line in ("near", "far")]
        assert weight_of((0.9, 0.4), tall[0], 16 / 9, found.mirror) > 0.85
        assert 0 < weight_of((0.9, 0.4), tall[1], 16 / 9, found.mirror) < 0.3


def test_where_the_camera_sees_nobody_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calibration.standing.UNSEEN_S", 0.5)
    rng = np.random.default_rng(0)
    walls = [encode(rng.integers(80, 100, (180, 320, 3), np.uint8)) for _ in range(10)]
    marks, told = [Mark(x, 0.5, "near") for x in ACROSS], []
    with (
        HttpCamera(walls) as camera,
        Chart("offscreen", SIZE, ScreenSettings()) as chart,
        Onlooker(camera.url, CameraSettings()) as onlooker,
        pytest.raises(SourceError, match="seen at 0 of 3 marks"),
    ):
        watch_marks(chart, ScreenSettings(), onlooker, marks, MarkerSettings(), 0.0, told.append)
    assert told.count("the camera sees nobody there; going on") == 3


def stands(room: Room, lines: tuple[str, ...] = ("near", "far"), bad: float = 0.0) -> list[Stand]:
    """What the camera sees of somebody at every mark."""
    found = []
    for n, (line, x) in enumerate((line, x) for line in lines for x in ACROSS):
        u, v, tall = room.stand(x + bad * (-1) ** n, 0.4, line)
        found.append(Stand(Mark(x, 0.4, line), u / SIZE[0], v / SIZE[1], tall / SIZE[1], 16 / 9))
    return found


@pytest.mark.parametrize("selfie", [False, True])
@pytest.mark.parametrize("camera_x", [-0.5, 0.2, 1.2, 2.9])
@pytest.mark.parametrize("turn", [-0.3, 0.0, 0.3])
def test_the_direction_is_right_wherever_the_camera_stands(
    selfie: bool, camera_x: float, turn: float
) -> None:
    seen = stands(Room(camera_m=(camera_x, 0.0), turn=turn, selfie=selfie))
    found = fit_mirror(seen, MirrorSettings(), 16 / 9, eye_level=True)
    assert found.swap is not selfie
    assert found.right == 1.0
    assert found.error < 1e-3
    assert found.mirror.camera_x == pytest.approx(camera_x / 1.6, abs=1e-3)
    for each in seen:
        assert shown_at(each, found.mirror, found.swap) == pytest.approx(each.mark.x, abs=1e-3)


def test_somebody_who_stays_where_they_are_is_no_calibration() -> None:
    at = stands(Room())[1]
    lazy = [Stand(Mark(x, 0.4, "near"), at.x + 1e-4 * x * (x - 0.5), at.y, at.tall, at.view)
            for x in ACROSS]  # fmt: skip
    marks = [each.mark for each in lazy]
    found = fit_mirror(lazy, MirrorSettings(), 16 / 9, eye_level=False)
    states = {each.key: each.state for each in mirror_verdicts(found, lazy, marks)}
    assert "fail" in states.values()


def test_without_a_calibration_somebody_appears_as_the_camera_sees_them() -> None:
    middle = np.array((0.3, 0.6))
    for tall in (0.05, 0.5):
        place = place_of(middle, tall, 4 / 3, 16 / 9, MirrorSettings())
        assert place == pytest.approx((0.3 * 16 / 9, 0.6), abs=1e-4)


def test_who_is_far_away_or_far_beside_counts_less() -> None:
    mirror = MirrorSettings(reach_x=0.08, beside=0.2)
    weights = [weight_of((x, 0.5), 0.3, 1.0, mirror) for x in (0.5, -0.1, 1.1, 1.3, 1.5)]
    assert weights[:3] == [1.0, 1.0, 1.0]
    assert 0 < weights[3] < 1
    assert weights[4] == 0.0
    assert weight_of((0.5, 0.5), 0.05, 1.0, mirror) == 0.0


def test_a_mark_is_drawn_where_it_is_said_to_be() -> None:
    for mark in (Mark(0.2, 0.5, "near"), Mark(0.8, 0.7, "far")):
        drawn = draw_mark(SIZE, mark, "1 of 6", 0.5)
        x, y = round(mark.x * SIZE[0]), round(mark.y * SIZE[1])
        assert tuple(drawn[y + 12, x]) == INKS[mark.line]
        assert drawn[5, 5].max() < 20
