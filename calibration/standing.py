"""Where people stand and where the camera sees them: marks on the screen, a person before each.

In: a chart that shows marks, an onlooker that sees the person who goes from mark to mark. Out: the
settings that carry what the camera sees to where the person stands. A picture ends in the markers
stage, as everywhere; what is kept of a face is where it was and how high.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.onlooker import Onlooker
from mirror.errors import SourceError
from mirror.latents.floor import place_of
from mirror.markers.markers import FaceReader
from mirror.screen.chart import Chart
from mirror.settings import MarkerSettings, MirrorSettings, ScreenSettings
from mirror.signals import Bytes, Floats
from mirror.site.keystone import picture_size

#: Somebody stands still when their face moved less than this, in face heights, for so long.
STILL, STILL_S, LEAST_LOOKS = 0.08, 1.0, 5
#: So long somebody may take to stand at a mark; seen nowhere for so long, the mark is passed over.
PATIENCE_S, UNSEEN_S = 60.0, 15.0
#: Who has gone to another mark has moved so far, in face heights, or grown or shrunk so much.
MOVED, GROWN = 0.4, 0.12
#: So many marks with somebody before them are needed.
LEAST_MARKS = 3
#: Heights of faces must differ by this share before the camera's turn can be told.
TWO_LINES = 0.15
#: A face at the far line just begins to count, one at the near line counts in full.
FAR_SHARE, NEAR_SHARE = 0.85, 0.95
INKS = {"near": (242, 178, 64), "far": (96, 190, 230)}


@dataclass(frozen=True)
class Mark:
    """x, y: on the picture, 0 to 1. line: 'near' or 'far', at which the person shall stand."""

    x: float
    y: float
    line: str


@dataclass(frozen=True)
class Stand:
    """A person at a mark. x, y: the middle of the face in the camera's picture, not mirrored, 0 to
    1; tall: its height there, as a share of the picture's; view: width over height of it."""

    mark: Mark
    x: float
    y: float
    tall: float
    view: float


@dataclass(frozen=True)
class Fitted:
    """mirror: the settings. swap: the camera's picture must be swapped left to right. right: share
    of steps from mark to mark that the piece would show in their own direction. error: mean
    distance of the places from their marks, screen widths."""

    mirror: MirrorSettings
    swap: bool
    right: float
    error: float


def watch_marks(
    chart: Chart, screen: ScreenSettings, onlooker: Onlooker, marks: Sequence[Mark],
    markers: MarkerSettings, walk_s: float, tell: Callable[[str], None],
) -> list[Stand]:  # fmt: skip
    """Show each mark until a person stands still before it. walk_s: time to get there.

    A mark where the camera sees nobody is passed over. Raises SourceError when nobody stands still,
    and when too few marks are left.
    """
    stands: list[Stand] = []
    with FaceReader(markers) as reader:
        for number, mark in enumerate(marks, 1):
            told = f"{number} of {len(marks)}"
            tell(f"{told}: stand before the mark, at the {mark.line} line, and look at it")
            last = stands[-1] if stands else None
            stand = _watch(chart, screen, onlooker, reader, mark, told, walk_s, last)
            if stand is None:
                tell("the camera sees nobody there; going on")
            else:
                stands.append(stand)
    if len(stands) < LEAST_MARKS or len({each.mark.x for each in stands}) < 2:
        raise SourceError(
            "calibrate mirror", f"somebody was seen at {len(stands)} of {len(marks)} marks",
            f"{LEAST_MARKS} marks or more", "turn the camera to the floor before the screen",
        )  # fmt: skip
    return stands


def _watch(
    chart: Chart, screen: ScreenSettings, onlooker: Onlooker, reader: FaceReader, mark: Mark,
    told: str, walk_s: float, last: Stand | None,
) -> Stand | None:  # fmt: skip
    clock = onlooker.clock
    began_s, calm = clock.now_s(), 0.0
    sign_s = began_s
    seen: deque[tuple[float, Stand]] = deque()
    looks = faces = 0

    def show() -> None:
        size = picture_size(chart.size, screen.turn_deg)
        chart.show_picture(draw_mark(size, mark, told, calm), screen)
        chart.heed()

    for frame in onlooker.frames(walk_s + PATIENCE_S, show):
        looks += 1
        stand = largest_face(reader.read(frame.picture), mark, frame.aspect)
        now_s = clock.now_s()
        if stand is not None:
            faces, sign_s = faces + 1, now_s
        elif now_s - max(sign_s, began_s + walk_s) > UNSEEN_S:
            return None
        if stand is None or now_s - began_s < walk_s or not _moved(stand, last):
            seen.clear()
            calm = 0.0
            continue
        seen.append((now_s, stand))
        while seen and now_s - seen[0][0] > STILL_S * 1.5:
            seen.popleft()
        stands = [each for _, each in seen]
        if not _still(stands):
            seen = deque([seen[-1]])
        calm = min(1.0, (now_s - seen[0][0]) / STILL_S)
        if calm >= 1 and len(seen) >= LEAST_LOOKS:
            return _median(stands)
    found = f"a face in {faces} of {looks} pictures, never still for {STILL_S:g} s"
    raise SourceError(
        "calibrate mirror", found, "one person who stands still", "calibrate light; stand nearer",
    )  # fmt: skip


def largest_face(faces: Sequence[Floats], mark: Mark, view: float) -> Stand | None:
    """The nearest of the faces found, (478, 3) each; None if there is none."""
    stands = []
    for markers in faces:
        x, y = markers[:468, :2].mean(axis=0)
        stands.append(Stand(mark, float(x), float(y), float(np.ptp(markers[:, 1])), view))
    return max(stands, key=lambda stand: stand.tall, default=None)


def fit_mirror(
    stands: Sequence[Stand], before: MirrorSettings, aspect: float, eye_level: bool
) -> Fitted:
    """The settings that bring each person to their mark, by least squares.

    aspect: width over height of the screen's picture. eye_level: the marks were at the height of
    the person's eyes, so heights can be told too.
    """
    across = [(each.x - 0.5) * each.view / each.tall for each in stands]
    camera_x, reach_x, turn_x = _line(across, stands, [each.mark.x for each in stands])
    swap = reach_x < 0
    found = {"camera_x": camera_x, "reach_x": abs(reach_x), "turn_x": turn_x}
    found |= {"camera_y": 0.5, "reach_y": 0.0, "turn_y": 0.0}
    if eye_level:
        # A face height is as long down as it is across: what walking aside tells, walking never
        # tells up and down.
        found |= {"reach_y": abs(reach_x) * aspect, **_tilt(stands, abs(reach_x) * aspect)}
    lines = {
        line: [each.tall for each in stands if each.mark.line == line] for line in ("near", "far")
    }
    if lines["near"]:
        found["near_height"] = min(1.0, NEAR_SHARE * float(np.median(lines["near"])))
    if lines["far"]:
        found["far_height"] = FAR_SHARE * float(np.median(lines["far"]))
    values = {name: round(float(value), 5) for name, value in found.items()}
    mirror = dataclasses.replace(before, **values)
    if mirror.far_height >= mirror.near_height:
        mirror = dataclasses.replace(mirror, far_height=round(mirror.near_height / 2, 5))
    places = [shown_at(each, mirror, swap) for each in stands]
    off = [abs(place - each.mark.x) for place, each in zip(places, stands)]
    return Fitted(mirror, swap, _right(stands, places), float(np.mean(off)))


def shown_at(stand: Stand, mirror: MirrorSettings, swap: bool) -> float:
    """Where across the screen the piece would show a person, 0 to 1, by the piece's own sum."""
    x = 1 - stand.x if swap else stand.x
    middle = np.array((x, stand.y), np.float32)
    return place_of(middle, stand.tall, stand.view, 1.0, mirror)[0]


def draw_mark(size: tuple[int, int], mark: Mark, told: str, calm: float) -> Bytes:
    """A mark on dark ground, and what to do; calm: 0 to 1, how long the person stood still.

    size: of the picture, (W, H) pixels. (H, W, 3) uint8 RGB.
    """
    width, height = size
    drawn = np.full((height, width, 3), 12, np.uint8)
    unit = min(width, height) / 360
    middle, ink = (round(mark.x * width), round(mark.y * height)), INKS[mark.line]
    cv2.line(drawn, (middle[0], 0), (middle[0], height), (46, 48, 52), max(1, round(unit)))
    cv2.circle(drawn, middle, round(22 * unit), ink, -1, cv2.LINE_AA)
    cv2.circle(drawn, middle, round(4 * unit), (12, 12, 12), -1, cv2.LINE_AA)
    wide = max(2, round(4 * unit))
    cv2.ellipse(
        drawn, middle, (round(36 * unit),) * 2, -90, 0, round(360 * calm), ink, wide, cv2.LINE_AA
    )
    lines = (f"{mark.line.upper()} line", "look at the mark, keep still", told)
    face, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.62 * unit
    for row, line in enumerate(lines):
        (long, _), _ = cv2.getTextSize(line, face, scale, 1)
        left = min(max(middle[0] - long // 2, round(8 * unit)), width - long - round(8 * unit))
        top = round((height * (0.72 if mark.y < 0.6 else 0.14)) + row * 26 * unit)
        room = round(6 * unit)
        box = (left - room, top - round(19 * unit)), (left + long + room, top + round(7 * unit))
        cv2.rectangle(drawn, *box, (12, 12, 12), -1)
        grey = (235, 233, 225) if row == 0 else (150, 150, 146)
        cv2.putText(drawn, line, (left, top), face, scale, grey, max(1, round(unit)), cv2.LINE_AA)
    return drawn


def _line(
    along: Sequence[float], stands: Sequence[Stand], marks: Sequence[float]
) -> tuple[float, float, float]:
    """Camera, reach and turn that bring faces to marks; no turn from one distance alone."""
    far = np.array([1 / each.tall for each in stands])
    columns = [np.ones(len(stands)), np.array(along)]
    if np.ptp(far) > TWO_LINES * far.mean():
        columns.append(far)
    found = np.linalg.lstsq(np.column_stack(columns), np.array(marks), rcond=None)[0]
    camera, reach, turn = (*found, 0.0)[:3]
    return float(camera), float(reach), float(turn)


def _tilt(stands: Sequence[Stand], reach_y: float) -> dict[str, float]:
    """Where the camera is up and down, and how it is tilted, from marks at eye level."""
    far = np.array([1 / each.tall for each in stands])
    rest = np.array([each.mark.y - (each.y - 0.5) * reach_y / each.tall for each in stands])
    if np.ptp(far) <= TWO_LINES * far.mean():
        return {"camera_y": float(rest.mean()), "turn_y": 0.0}
    table = np.column_stack([np.ones(len(stands)), far])
    camera, turn = np.linalg.lstsq(table, rest, rcond=None)[0]
    return {"camera_y": float(camera), "turn_y": float(turn)}


def _right(stands: Sequence[Stand], places: Sequence[float]) -> float:
    """The share of steps between marks of one line that are shown in their own direction."""
    steps = [
        (a.mark.x - b.mark.x) * (p - q) > 0
        for n, (a, p) in enumerate(zip(stands, places))
        for b, q in zip(stands[:n], places[:n])
        if a.mark.line == b.mark.line and a.mark.x != b.mark.x
    ]
    return sum(steps) / len(steps) if steps else 0.0


def _moved(stand: Stand, last: Stand | None) -> bool:
    """Whether somebody has left the last mark."""
    if last is None:
        return True
    away = np.hypot((stand.x - last.x) * stand.view, stand.y - last.y) / last.tall
    return bool(away > MOVED or abs(np.log(stand.tall / last.tall)) > GROWN)


def _still(stands: Sequence[Stand]) -> bool:
    tall = float(np.median([each.tall for each in stands]))
    across = np.ptp([each.x * each.view for each in stands]) / tall
    return bool(max(across, np.ptp([each.y for each in stands]) / tall) < STILL)


def _median(stands: Sequence[Stand]) -> Stand:
    x, y, tall = np.median([(each.x, each.y, each.tall) for each in stands], axis=0)
    return dataclasses.replace(stands[0], x=float(x), y=float(y), tall=float(tall))
