"""People who move, for the models to follow: from films, or synthetic.

In: a folder of films, or nothing. Out: markers over time. A film's pictures are dropped as soon as
the markers are found, as in the show, and nothing of them is kept. The atelier's thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mirror.camera import every_frame, parse_source
from mirror.canonical import Frame
from mirror.errors import SettingsError
from mirror.latents.latents import SchoolGeometry
from mirror.latents.visitors import Visitors
from mirror.markers.markers import FaceReader
from mirror.markers.sitters import SitterTracker
from mirror.session.synthetic import synthesise
from mirror.settings import CameraSettings, MarkerSettings
from mirror.signals import Floats, Sitter, Sitters

FILMS = (".mp4", ".mov", ".avi", ".mkv", ".webm")
#: Shorter than so many pictures, and lower than this in pixels, nobody teaches us anything: the
#: markers of a far face tremble more than a portrait could.
LEAST_PICTURES, LEAST_PX = 60, 120
#: A synthetic evening, and how high its picture would be.
SECONDS, SYNTHETIC_PX = 100.0, 720


@dataclass(frozen=True)
class Performance:
    """One sitter of one film. markers: (T, 478, 3) float32, image-normalised. rate_hz: moments a
    second."""

    name: str
    aspect: float
    markers: Floats
    rate_hz: float = 30.0

    def moments(self, count: int) -> list[int]:
        """At most so many moments, evenly spaced."""
        wanted = min(count, len(self.markers))
        return [int(n) for n in np.linspace(0, len(self.markers) - 1, wanted)]

    def thinned(self, count: int) -> Performance:
        """The same with no other moments than these."""
        chosen = self.moments(count)
        rate_hz = self.rate_hz * len(chosen) / len(self.markers)
        return Performance(self.name, self.aspect, self.markers[chosen], rate_hz)

    def followed(self, geometry: SchoolGeometry, frame: Frame, accent: float) -> Floats:
        """What a school makes of every moment, as the show does: appearance settles while somebody
        stays, pose and shape are those of the moment.  (T, D) float32"""
        sitters = [Sitter(1, each, self.aspect, 1.0, 0.0) for each in self.markers]
        visitors = Visitors([geometry], frame, accent)
        latents = []
        for number, (sitter, reading) in enumerate(zip(sitters, visitors.read(sitters))):
            now = Sitters(number / self.rate_hz, (sitter,))
            (visit,) = visitors.visits(now, self.aspect, [reading])
            latents.append(visit.latents[0])
        return np.stack(latents)


def filmed(folder: Path) -> list[Performance]:
    """Whoever is to be seen well in the films of a folder; raises SettingsError when nobody is."""
    paths = (
        sorted(p for p in folder.iterdir() if p.suffix.lower() in FILMS) if folder.is_dir() else []
    )
    found: list[Performance] = []
    for path in paths:
        high_px, seen = _watch(path)
        found += _performances(path.stem, seen, high_px)
    if not found:
        raise SettingsError(
            "--clips", f"nobody to be seen well in {len(paths)} films of {folder}",
            f"films ({' '.join(FILMS)}) with a face {LEAST_PX} pixels high for some seconds",
        )  # fmt: skip
    return found


def _watch(path: Path) -> tuple[int, list[Sitters]]:
    """The height of a film's picture, and its sitters at every picture."""
    tracker, seen, high_px = SitterTracker(MarkerSettings()), [], 0
    with FaceReader(MarkerSettings()) as reader:
        for frame in every_frame(parse_source(str(path)), CameraSettings()):
            high_px = frame.picture.shape[0]
            seen.append(tracker.update(reader.read(frame.picture), frame.aspect, frame.time_s))
    return high_px, seen


def synthetic(seed: int = 1, seconds: float = SECONDS) -> list[Performance]:
    """Sitters that never lived: see ``session/synthetic.py``."""
    return _performances("synthetic", synthesise(seconds, seed), SYNTHETIC_PX)


def _performances(name: str, seen: Iterable[Sitters], high_px: int) -> list[Performance]:
    """One performance for each sitter that is there for long enough, and near enough."""
    markers: dict[int, list[Floats]] = defaultdict(list)
    times_s: dict[int, list[float]] = defaultdict(list)
    aspects: dict[int, float] = {}
    for sitters in seen:
        for sitter in sitters.sitters:
            if sitter.presence > 0.9:
                markers[sitter.id].append(sitter.markers)
                times_s[sitter.id].append(sitters.time_s)
                aspects[sitter.id] = sitter.aspect
    found = []
    for number, moments in markers.items():
        stack = np.stack(moments)  # (T, 478, 3)
        tall_px = float(np.median(np.ptp(stack[:, :, 1], axis=1))) * high_px
        if len(stack) >= LEAST_PICTURES and tall_px >= LEAST_PX:
            rate_hz = 1 / float(np.median(np.diff(times_s[number])))
            found.append(Performance(f"{name}-{number}", aspects[number], stack, rate_hz))
    return found
