"""From faces found to sitters: who has come, who is still there, who has left.

In come the faces of one moment; out go ``signals.Sitters``. Called by the markers thread. Pure
numpy, and every rule is in seconds: ten pictures a second or sixty, regular or not, give the same
visits.

A face is matched to the sitter near whose expected place it lies, by place and size alone. Nothing
that could tell one person from another is computed: who leaves and comes back is somebody new.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from mirror import MARKERS
from mirror.markers import one_euro
from mirror.markers.one_euro import Smoothed
from mirror.settings import MarkerSettings
from mirror.signals import Floats, Sitter, Sitters, check

_PRESENCE_RISE_S = 0.4  # from arrival to full presence
_MOTION_HALF_LIFE_S = 0.12  # of the smoothing of the reported motion
_VELOCITY_HALF_LIFE_S = 0.06  # of the smoothing of the expected movement
_COAST_HALF_LIFE_S = 0.4  # a lost face is expected to slow down by half in so long
_REACH = 0.7  # a face belongs to a sitter at most so many face heights from its expected place
_REACH_GROWS = 1.5  # and so many more a second since it was last seen
_GROWTH = math.log(1.6)  # nor may it have grown or shrunk by more than this
_SIGHTINGS = 3  # at least so many before somebody has arrived, at any rate
_FADE = 0.25  # of the time that a face is not seen is taken off the time that it was seen
_SAME = 0.4  # two faces closer than this (face heights) are one face, found twice


@dataclass(frozen=True)
class _Face:
    """One face found: markers in picture heights (478, 3), its middle (2,), its height there."""

    markers: Floats
    middle: npt.NDArray[np.float64]
    height: float
    aspect: float


@dataclass(frozen=True)
class _Track:
    """A face that is being followed; a sitter from the moment that it has an id.

    middle, velocity: (2,) in picture heights and picture heights a second, at seen_s.
    credit_s: how long it was seen, less part of the time that it was not.
    """

    smoothed: Smoothed
    middle: npt.NDArray[np.float64]
    height: float
    aspect: float
    seen_s: float
    velocity: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    id: int = 0
    credit_s: float = 0.0
    presence: float = 0.0
    motion: float = 0.0


class SitterTracker:
    """Gives faces stable ids from arrival to leaving, and calms their markers."""

    def __init__(self, settings: MarkerSettings) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._time_s: float | None = None
        self._last_id = 0

    def update(self, faces: Sequence[Floats], aspect: float, time_s: float) -> Sitters:
        """Take in the faces found at one moment, (478, 3) float32 image-normalised each.

        aspect: width over height of the picture. time_s: capture time; after a gap or a jump
        backwards longer than ``leave_s``, nobody who was there before is there any more; a smaller
        jump backwards counts as no time. Raises ShapeError.
        """
        for markers in faces:
            check("faces", markers, (MARKERS, 3))
        last_s = time_s if self._time_s is None else self._time_s
        jumped = time_s < last_s - self._settings.leave_s
        time_s = time_s if jumped else max(time_s, last_s)
        step_s = max(0.0, time_s - last_s)
        self._time_s = time_s
        left = self._let_go(math.inf if jumped else time_s)
        found = _apart([_measure(markers, aspect) for markers in faces])[: self._settings.sitters]
        pairs = _match(self._tracks, found, time_s)
        tracks = [
            self._see(track, found[pairs[n]], time_s, step_s)
            if n in pairs
            else self._miss(track, step_s)
            for n, track in enumerate(self._tracks)
        ]
        taken = set(pairs.values())
        new = [_begin(face, time_s) for n, face in enumerate(found) if n not in taken]
        self._tracks = [track for track in tracks if track.id or track.credit_s >= 0] + new
        arrived = self._welcome()
        sitters = tuple(_sitter(track) for track in self._tracks if track.id)
        return Sitters(time_s, tuple(sorted(sitters, key=lambda s: s.id)), arrived, left)

    def _let_go(self, time_s: float) -> tuple[int, ...]:
        """Forget the faces that were not seen for too long; the ids of the sitters among them."""
        longest_s = self._settings.leave_s - 1e-6
        gone = [track for track in self._tracks if time_s - track.seen_s > longest_s]
        self._tracks = [track for track in self._tracks if time_s - track.seen_s <= longest_s]
        return tuple(sorted(track.id for track in gone if track.id))

    def _welcome(self) -> tuple[int, ...]:
        """Give ids to the faces that were seen for long enough, oldest first."""
        room = self._settings.sitters - sum(1 for track in self._tracks if track.id)
        needed_s = self._settings.arrive_s - 1e-6
        ready = [n for n, track in enumerate(self._tracks) if not track.id]
        ready = [n for n in ready if self._tracks[n].credit_s >= needed_s][:room]
        first = self._last_id + 1
        for number, n in enumerate(ready, first):
            self._tracks[n] = replace(self._tracks[n], id=number)
        self._last_id += len(ready)
        return tuple(range(first, first + len(ready)))

    def _see(self, track: _Track, face: _Face, time_s: float, step_s: float) -> _Track:
        """The track after its face was found."""
        gap_s = time_s - track.seen_s
        s = self._settings
        smoothed = one_euro.follow(
            track.smoothed,
            face.markers,
            time_s,
            s.min_cutoff_hz,
            s.beta,
            s.derivative_cutoff_hz,
            face.height,
        )
        velocity, motion = track.velocity, track.motion
        if gap_s > 0:
            kept = 0.5 ** (gap_s / _VELOCITY_HALF_LIFE_S)
            velocity = kept * velocity + (1 - kept) * (face.middle - track.middle) / gap_s
            moved = _distance(smoothed.value, track.smoothed.value) / face.height / gap_s
            kept = 0.5 ** (gap_s / _MOTION_HALF_LIFE_S)
            motion = kept * motion + (1 - kept) * moved
        longest_s = s.arrive_s / (_SIGHTINGS - 1)
        rise = step_s / _PRESENCE_RISE_S if track.id else 0.0
        return replace(
            track,
            smoothed=smoothed,
            middle=face.middle,
            height=face.height,
            aspect=face.aspect,
            seen_s=time_s,
            velocity=velocity,
            credit_s=track.credit_s + min(step_s, longest_s),
            presence=min(1.0, track.presence + rise),
            motion=motion,
        )

    def _miss(self, track: _Track, step_s: float) -> _Track:
        """The track after its face was not found: held where it was, and a little less there."""
        return replace(
            track,
            credit_s=track.credit_s - _FADE * step_s,
            presence=max(0.0, track.presence - step_s / max(self._settings.leave_s, 1e-6)),
            motion=track.motion * 0.5 ** (step_s / _MOTION_HALF_LIFE_S),
        )


def _measure(markers: Floats, aspect: float) -> _Face:
    """Markers in picture heights, so that a distance is a distance in every direction."""
    scaled = markers * np.array([aspect, 1.0, aspect], np.float32)  # (478, 3)
    low, high = scaled[:, :2].min(axis=0), scaled[:, :2].max(axis=0)
    height = float(max(high - low))  # the longer side: a nodding face is not a shrinking one
    return _Face(scaled, np.asarray((low + high) / 2, np.float64), max(height, 1e-6), aspect)


def _begin(face: _Face, time_s: float) -> _Track:
    smoothed = one_euro.begin(face.markers, time_s)
    return _Track(smoothed, face.middle, face.height, face.aspect, time_s)


def _sitter(track: _Track) -> Sitter:
    """What the rest of the program learns of a track."""
    units = np.array([1 / track.aspect, 1.0, 1 / track.aspect])
    markers = (track.smoothed.value * units).astype(np.float32)  # (478, 3)
    return Sitter(track.id, markers, track.aspect, track.presence, track.motion)


def _distance(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """How far markers (478, 3) moved across the picture, on average."""
    return float(np.hypot(*(one - other)[:, :2].T).mean())


def _apart(faces: list[_Face]) -> list[_Face]:
    """The faces without those that lie on an earlier one."""
    kept: list[_Face] = []
    for face in faces:
        near = [math.dist(face.middle, o.middle) / max(face.height, o.height) for o in kept]
        if min(near, default=math.inf) > _SAME:
            kept.append(face)
    return kept


def _match(tracks: list[_Track], faces: list[_Face], time_s: float) -> dict[int, int]:
    """Which face (value) continues which track (key): the most, and of those the nearest.

    Every assignment of the fewer to the more is tried: there are a handful of either.
    """
    if not tracks or not faces:
        return {}
    far = 1e3  # what leaving a pair apart costs: more than any pair that is allowed
    costs = np.array([[_cost(track, face, time_s) for face in faces] for track in tracks])
    costs = np.minimum(costs, far)
    upright = len(tracks) >= len(faces)
    table = costs if upright else costs.T  # (more, fewer)
    orders = _orders(*table.shape)  # (K, fewer)
    best = orders[int(table[orders, np.arange(table.shape[1])].sum(axis=1).argmin())]
    pairs = [(int(n), m) if upright else (m, int(n)) for m, n in enumerate(best)]
    return {track: face for track, face in pairs if costs[track, face] < far}


@functools.lru_cache(maxsize=64)
def _orders(more: int, fewer: int) -> npt.NDArray[np.intp]:
    """All ways to give each of the fewer another of the more: (K, fewer)."""
    return np.array(list(itertools.permutations(range(more), fewer)), np.intp)


def _cost(track: _Track, face: _Face, time_s: float) -> float:
    """How unlikely it is that the face continues the track; infinite beyond its reach."""
    gap_s = time_s - track.seen_s
    slowing = math.log(2) / _COAST_HALF_LIFE_S
    coasted_s = -math.expm1(-slowing * gap_s) / slowing  # seconds at full speed
    expected = track.middle + track.velocity * coasted_s
    size = math.sqrt(track.height * face.height)
    apart = math.dist(expected, face.middle) / size
    growth = abs(math.log(face.height / track.height))
    if apart > _REACH + _REACH_GROWS * gap_s or growth > _GROWTH:
        return math.inf
    return apart + growth
