"""A face that never lived: the canonical face with proportions of its own, moved like a face.

In: the canonical frame, numbers drawn by lot, and how far jaw, lids, brows, lips and head are
moved. Out: markers. Everything is computed in float64 and rounded to a grid of 1/8192 at the end,
so that other processors, whose last bits differ, give the same markers. Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mirror import MARKERS
from mirror.canonical import PEOPLE, PIVOT, Frame, Ints
from mirror.signals import Floats

Doubles = npt.NDArray[np.float64]

#: A sixth of a pixel in a picture 1280 wide: below what FaceMesh itself trembles by.
GRID = 8192.0

# FaceMesh's own numbers.
CHIN, FOREHEAD, MOUTH_CORNERS, EARS = 152, 10, (61, 291), (234, 454)
BROWS = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
RIGHT_IRIS, LEFT_IRIS = slice(468, 473), slice(473, 478)

#: How many numbers make a face's proportions.
PROPORTIONS = PEOPLE
#: How far the corners of the mouth go with the jaw, and how often what goes with it is smoothed.
_CORNER, _ROUNDS = 0.3, 4
#: Numbers drawn evenly from -1 to 1 make faces that differ as much as people's do.
_SPREAD = 3**0.5


@dataclass(frozen=True)
class Pose:
    """What a face does at one moment.

    yaw, pitch, roll: radians. jaw: radians that it is opened by. smile, pucker, brows: -1 to 1.
    lids: 0 open to 1 closed. gaze: x and y, -1 to 1.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    jaw: float = 0.0
    smile: float = 0.0
    pucker: float = 0.0
    brows: float = 0.0
    lids: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Puppet:
    """One face at rest and how its markers follow its muscles.

    rest: (478, 3) float64, portrait units. jaw: (478,) share in the jaw's turn about hinge (y, z).
    lids, smile, pucker, brows: (478, 3), where each goes when it is at 1. eye_width: of one eye.
    """

    rest: Doubles
    hinge: tuple[float, float]
    jaw: Doubles
    lids: Doubles
    smile: Doubles
    pucker: Doubles
    brows: Doubles
    eye_width: float

    @property
    def height(self) -> float:
        """From the top of the forehead to the chin, portrait units."""
        return float(self.rest[CHIN, 1] - self.rest[FOREHEAD, 1])

    def face(self, pose: Pose) -> Doubles:
        """The face in a pose: (478, 3) float64, portrait units, about the neck's pivot."""
        moved = self.rest + pose.smile * self.smile + pose.pucker * self.pucker
        moved += pose.brows * self.brows + pose.lids * self.lids
        moved[468:, 0] += 0.11 * self.eye_width * pose.gaze[0]
        moved[468:, 1] += 0.07 * self.eye_width * pose.gaze[1]
        self._open_jaw(moved, pose.jaw)
        return (moved - PIVOT) @ _turn(pose).T + PIVOT  # (478, 3)

    def _open_jaw(self, moved: Doubles, angle: float) -> None:
        """Turn what hangs on the jaw about the line through its joints, downwards and back."""
        y, z = moved[:, 1] - self.hinge[0], moved[:, 2] - self.hinge[1]
        cos, sin = np.cos(angle), np.sin(angle)
        moved[:, 1] += self.jaw * (y * cos - z * sin - y)
        moved[:, 2] += self.jaw * (y * sin + z * cos - z)


def make_puppet(frame: Frame, proportions: Doubles) -> Puppet:
    """A puppet from the canonical face.

    proportions: (8,) float64, each about -1 to 1: how much of each of the ways in which the faces
    of people differ, see ``Frame.people``.
    """
    rest = frame.mean.astype(np.float64)
    for by, differing in zip(proportions, frame.people):  # not a product: one order of adding
        rest = rest + by * _SPREAD * differing
    line = _mouth_line(frame, rest)
    hinge = rest[list(EARS)].mean(axis=0)
    corners = rest[list(MOUTH_CORNERS)]
    return Puppet(
        rest=rest,
        hinge=(float(hinge[1]), float(hinge[2])),
        jaw=_jaw(frame, rest, line),
        lids=_lids(frame, rest),
        smile=_smile(rest, corners),
        pucker=_pucker(rest, corners),
        brows=_brows(rest),
        eye_width=float(np.ptp(rest[frame.right_eye, 0])),
    )


def place(face: Doubles, centre: tuple[float, float], scale: float, aspect: float) -> Floats:
    """A face into the picture: (478, 3) float32, image-normalised, on the grid.

    centre: of the picture's part where the face stands, image-normalised. scale: heights of the
    picture in one portrait unit. aspect: width over height of the picture.
    """
    unit = scale * np.array([1 / aspect, 1.0, 1 / aspect])
    placed = face * unit + np.array([centre[0], centre[1], 0.0])
    return (np.round(placed * GRID) / GRID).astype(np.float32)


def _turn(pose: Pose) -> Doubles:
    """Rotation by yaw, then pitch, then roll, as ``canonical.rotations``, in float64.  (3, 3)"""
    (cy, cp, cr), (sy, sp, sr) = (f([pose.yaw, pose.pitch, pose.roll]) for f in (np.cos, np.sin))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw)


def smooth(low: float, high: float, value: Doubles | float) -> Doubles:
    """0 below low, 1 above high, and a smooth step between."""
    t = np.clip((np.asarray(value, np.float64) - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def _near(rest: Doubles, points: Doubles, width: float) -> Doubles:
    """1 at the nearest of the points, falling to 0 like a Gaussian: (478,)"""
    apart = np.linalg.norm(rest[:, None, :2] - points[None, :, :2], axis=2).min(axis=1)
    return np.asarray(np.exp(-((apart / width) ** 2)))


def _mouth_line(frame: Frame, rest: Doubles) -> Doubles:
    """Height of the line between the lips at every marker's x: (478,)"""
    lips = rest[frame.inner_lips]
    order = np.argsort(lips[:, 0])
    return np.asarray(np.interp(rest[:, 0], lips[order, 0], lips[order, 1]))


def _jaw(frame: Frame, rest: Doubles, line: Doubles) -> Doubles:
    """Share in the jaw's turn: the lower lip and chin wholly, the corners half, cheeks little."""
    half = np.abs(rest[frame.inner_lips, 0]).max()
    across = np.clip(np.abs(rest[:, 0]) / half, 0.0, 1.0)
    deep = 0.004 + 0.16 * across**2  # how far below the line the jaw has a marker wholly
    share = smooth(0.0, 1.0, 0.5 * across**2 * (across < 1) + (rest[:, 1] - line) / deep)
    share *= rest[:, 1] > line - 0.02
    middle = len(frame.inner_lips) // 2
    upper, lower = frame.inner_lips[: middle + 1], frame.inner_lips[middle + 1 :]
    # Towards the corners, which take part by so much, both lips come together in a curve.
    share[upper] = _CORNER * (np.abs(rest[upper, 0]) / half) ** 3
    share[lower] = 1.0 - (1.0 - _CORNER) * (np.abs(rest[lower, 0]) / half) ** 3
    middle_of_it = np.flatnonzero(np.abs(rest[:, 0]) < 0.5 * half)
    share = _smoothed(share, frame, np.concatenate([frame.inner_lips, middle_of_it]))
    share[468:] = 0.0
    return share


def _smoothed(values: Doubles, frame: Frame, fixed: Ints) -> Doubles:
    """Values of markers (478,), each a few times drawn to the mean of its neighbours; fixed ones
    stay."""
    edges = frame.surface[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    count = np.bincount(edges.ravel(), minlength=MARKERS)
    moving = count > 0
    moving[fixed] = False
    for _ in range(_ROUNDS):
        total = np.zeros(MARKERS)
        np.add.at(total, edges[:, 0], values[edges[:, 1]])
        np.add.at(total, edges[:, 1], values[edges[:, 0]])
        values = np.where(moving, 0.5 * values + 0.5 * total / np.maximum(count, 1), values)
    return values


def _lids(frame: Frame, rest: Doubles) -> Doubles:
    """Where the lids go when they close: the upper one down on the lower, which rises a little."""
    moved = np.zeros((MARKERS, 3))
    for loop in (frame.right_eye, frame.left_eye):
        lids = rest[loop]
        inner, outer = np.argmin(lids[:, 0]), np.argmax(lids[:, 0])
        slope = (lids[outer, 1] - lids[inner, 1]) / (lids[outer, 0] - lids[inner, 0])
        above = lids[:, 1] < lids[inner, 1] + slope * (lids[:, 0] - lids[inner, 0]) + 1e-9
        upper, lower = lids[above], lids[~above]
        gap = _height(lower, rest[:, 0]) - _height(upper, rest[:, 0])
        gap = np.clip(gap, 0.0, None)
        over = rest[:, 1] < (_height(upper, rest[:, 0]) + _height(lower, rest[:, 0])) / 2
        moved[:, 1] += 0.85 * gap * _near(rest, upper, 0.028) * over
        moved[:, 1] -= 0.10 * gap * _near(rest, lower, 0.02) * ~over
    moved[468:] = 0.0
    return moved


def _height(lid: Doubles, x: Doubles) -> Doubles:
    order = np.argsort(lid[:, 0])
    return np.asarray(np.interp(x, lid[order, 0], lid[order, 1]))


def _smile(rest: Doubles, corners: Doubles) -> Doubles:
    """Corners out, up and back, cheeks up a little."""
    pull = _near(rest, corners, 0.11)[:, None]
    return np.asarray(pull * np.array([0.022, -0.024, 0.012]) * [[s, 1, 1] for s in _side(rest)])


def _pucker(rest: Doubles, corners: Doubles) -> Doubles:
    """Lips narrower and forward."""
    around = _near(rest, np.linspace(corners[0], corners[1], 7), 0.07)
    moved = np.zeros((MARKERS, 3))
    moved[:, 0], moved[:, 2] = -0.22 * around * rest[:, 0], -0.03 * around
    return moved


def _brows(rest: Doubles) -> Doubles:
    """Brows up, and some of the forehead and lids with them."""
    moved = np.zeros((MARKERS, 3))
    moved[:, 1] = -0.03 * _near(rest, rest[list(BROWS)], 0.06)
    moved[468:] = 0.0
    return moved


def _side(rest: Doubles) -> Doubles:
    return np.asarray(np.clip(rest[:, 0] / 0.03, -1.0, 1.0))
