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
from mirror.errors import SettingsError
from mirror.markers.markers import FaceReader
from mirror.markers.sitters import SitterTracker
from mirror.session.synthetic import synthesise
from mirror.settings import CameraSettings, MarkerSettings
from mirror.signals import Floats, Sitters

FILMS = (".mp4", ".mov", ".avi", ".mkv", ".webm")
#: Shorter than so many pictures, and lower than this in pixels, nobody teaches us anything: the
#: markers of a far face tremble more than a portrait could.
LEAST_PICTURES, LEAST_PX = 60, 120
#: A synthetic evening, and how high its picture would be.
SECONDS, SYNTHETIC_PX = 100.0, 720


@dataclass(frozen=True)
class Performance:
    """One sitter of one film. markers: (T, 478, 3) float32, image-normalised."""

    name: str
    aspect: float
    markers: Floats

    def thinned(self, count: int) -> Performance:
        """At most so many moments, evenly spaced."""
        wanted = min(count, len(self.markers))
        chosen = np.linspace(0, len(self.markers) - 1, wanted).astype(int)
        return Performance(self.name, self.aspect, self.markers[chosen])


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
    aspects: dict[int, float] = {}
    for sitters in seen:
        for sitter in sitters.sitters:
            if sitter.presence > 0.9:
                markers[sitter.id].append(sitter.markers)
                aspects[sitter.id] = sitter.aspect
    found = []
    for number, moments in markers.items():
        stack = np.stack(moments)  # (T, 478, 3)
        tall_px = float(np.median(np.ptp(stack[:, :, 1], axis=1))) * high_px
        if len(stack) >= LEAST_PICTURES and tall_px >= LEAST_PX:
            found.append(Performance(f"{name}-{number}", aspects[number], stack))
    return found
