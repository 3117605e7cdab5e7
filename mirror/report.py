"""How a run went: timings, visits and faults come in from every stage, a report goes out.

Any thread may tell it something; one lock guards it. A run may last for months, so what it keeps
is bounded: exact timings for the first few thousand, a histogram beyond; the newest visits.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mirror.clock import Clock, MonotonicClock, precise_s

#: The stages of the contract, in the order the light travels.
STAGES = ("camera", "markers", "latents", "river", "faces", "screen")
#: Timings kept one by one before a histogram takes over.
MOST_EXACT = 4096
#: Visits kept one by one; those before are only counted.
MOST_VISITS = 10_000
#: Width of a histogram's bin, as a ratio: quantiles are right within half of it.
BIN_RATIO = 1.01
LEAST_MS, MOST_MS = 1e-3, 1e7
_BIN_WIDTH = math.log(BIN_RATIO)


class Quantiles:
    """Quantiles of milliseconds: exact for short runs, within 0.5 % for endless ones.

    Beyond ``MOST_EXACT`` values it counts in bins that each are one per cent wider than the one
    before (2314 of them), as HdrHistogram does.
    """

    def __init__(self) -> None:
        self._values: list[float] = []
        self._bins: np.ndarray | None = None
        self._most = 0.0

    def add(self, ms: float) -> None:
        """Take one value, milliseconds, 0 or more."""
        self._most = max(self._most, ms)
        if self._bins is not None:
            self._bins[_bin(ms)] += 1
            return
        self._values.append(ms)
        if len(self._values) > MOST_EXACT:
            self._bins = np.zeros(_bin(MOST_MS) + 1, np.int64)
            np.add.at(self._bins, [_bin(value) for value in self._values], 1)
            self._values = []

    def told(self, *quantiles: int) -> dict[str, float | None]:
        """For example {"p50": 12.1, "p95": 19.5}; None while there is no value."""
        return {f"p{each}": self._at(each) for each in quantiles}

    def most(self) -> float | None:
        """The largest value, exact; None while there is none."""
        return round(self._most, 3) if self._values or self._bins is not None else None

    def _at(self, percent: float) -> float | None:
        if self._bins is not None:
            reached = np.searchsorted(np.cumsum(self._bins), self._bins.sum() * percent / 100)
            value = LEAST_MS * BIN_RATIO ** (float(reached) + 0.5)
            return round(min(value, self._most), 3)
        return round(float(np.percentile(self._values, percent)), 3) if self._values else None


class Report:
    """Collects what the stages tell, and writes it down in the contract's words.

    Times of visits are seconds of the source; frames a second are counted on ``clock``.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or MonotonicClock()
        self._lock = threading.Lock()
        self._stages = {name: Quantiles() for name in STAGES}
        self._frame_ms, self._photon_ms = Quantiles(), Quantiles()
        self._frames = self._painted = self._sitters_max = self._visits_total = 0
        self._first_s = self._last_s = 0.0
        self._visits: deque[dict[str, Any]] = deque(maxlen=MOST_VISITS)
        self._here: dict[int, float] = {}
        self._faults: Counter[str] = Counter()
        self._newest_ms: dict[str, float] = {}
        self._start_mb = resident_mb()

    def stage(self, name: str, ms: float) -> None:
        """One stage took so many milliseconds once."""
        with self._lock:
            if name not in self._stages:
                self._stages[name] = Quantiles()
            self._stages[name].add(ms)
            self._newest_ms[name] = ms

    @contextlib.contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Measure one stage: ``with report.timed("river"): ...``; an error is not measured."""
        start_s = precise_s()
        yield
        self.stage(name, 1e3 * (precise_s() - start_s))

    def frame(self, ms: float) -> None:
        """One picture is finished; it took so many milliseconds."""
        now_s = self._clock.now_s()
        with self._lock:
            if not self._frames:
                self._first_s = now_s
            self._frames, self._last_s = self._frames + 1, now_s
            self._frame_ms.add(ms)

    def photon(self, ms: float) -> None:
        """From a frame in hand to the finished drawing that carries its markers."""
        with self._lock:
            self._photon_ms.add(ms)

    def painted(self, textures: int = 1) -> None:
        """So many textures were painted."""
        with self._lock:
            self._painted += textures

    def visit_started(self, id: int, at_s: float) -> None:
        """A sitter has arrived, at a time of the source."""
        with self._lock:
            self._here[id] = at_s
            self._sitters_max = max(self._sitters_max, len(self._here))

    def visit_ended(self, id: int, at_s: float) -> None:
        """A sitter has left; one that never arrived is ignored."""
        with self._lock:
            if (start_s := self._here.pop(id, None)) is not None:
                self._visits.append(_visit(id, start_s, at_s))
                self._visits_total += 1

    @property
    def newest_ms(self) -> dict[str, float]:
        """What each stage took the last time, milliseconds."""
        with self._lock:
            return {name: round(ms, 3) for name, ms in self._newest_ms.items()}

    @property
    def visits_begun(self) -> int:
        """Visits so far, those that go on among them."""
        return self._visits_total + len(self._here)

    @property
    def painted_so_far(self) -> int:
        """Textures painted."""
        return self._painted

    def timings(self) -> dict[str, dict[str, float | None]]:
        """Quantiles of every stage, and of the whole picture as 'picture', milliseconds."""
        with self._lock:
            told = {name: each.told(50, 95) for name, each in self._stages.items()}
            return {**told, "picture": self._frame_ms.told(50, 95)}

    def fault(self, kind: str, times: int = 1) -> None:
        """The camera failed so many times more, in a way that ``kind`` names."""
        with self._lock:
            self._faults[kind] += times

    def faults(self, counts: Mapping[str, int]) -> None:
        """The camera's own counts since the start; they replace those told before."""
        with self._lock:
            self._faults.update({kind: n - self._faults[kind] for kind, n in counts.items()})

    def result(
        self,
        *,
        end_s: float,
        river_hash: str = "",
        renderer: str = "",
        weights: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """The report of the contract, as values that JSON can hold.

        end_s: the source's time now; visits that have not ended end there. weights: sha256 of
        each school's file. settings: as ``site.resolved`` gives them. more: further keys.
        What never happened has None for its quantiles.
        """
        with self._lock:
            elapsed_s = self._last_s - self._first_s
            visits = [*self._visits, *(_visit(i, s, end_s) for i, s in self._here.items())]
            return {
                "frames": self._frames,
                "fps": _rate(self._frames - 1, elapsed_s),
                "frame_ms": {**self._frame_ms.told(50, 95, 99), "max": self._frame_ms.most()},
                "stage_ms": {name: each.told(50, 95) for name, each in self._stages.items()},
                "marker_to_photon_ms": self._photon_ms.told(50, 95),
                "portraits_per_s": _rate(self._painted, elapsed_s),
                "visits": sorted(visits, key=lambda visit: (visit["start_s"], visit["id"])),
                "visits_total": self._visits_total + len(self._here),
                "sitters_max": self._sitters_max,
                "camera_faults": dict(sorted(self._faults.items())),
                "rss_mb": {"start": self._start_mb, "end": resident_mb()},
                "river_hash": river_hash,
                "renderer": renderer,
                "weights": dict(weights or {}),
                "settings": dict(settings or {}),
                **more,
            }


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON in one step: a reader finds the old file or the new one, whole.

    Raises OSError when the disk refuses, and ValueError for a number that JSON has no word for.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if path.exists() and not path.is_file():  # /dev/stdout, a pipe: nothing to replace
        path.write_text(text, encoding="utf-8")
        return
    target = path.resolve()  # a link stays a link
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(part, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def resident_mb() -> float:
    """Memory that this process holds now, in MB (10^6 bytes); its peak where /proc is missing."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return round(pages * resource.getpagesize() / 1e6, 1)
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)


def _bin(ms: float) -> int:
    """The histogram's bin that holds a value."""
    held = min(max(ms, LEAST_MS), MOST_MS)
    return int(math.log(held / LEAST_MS) / _BIN_WIDTH)


def _rate(count: int, elapsed_s: float) -> float:
    """So many a second; 0 before there is anything to count."""
    return round(count / elapsed_s, 3) if elapsed_s > 0 else 0.0


def _visit(id: int, start_s: float, end_s: float) -> dict[str, Any]:
    """One visit in the contract's words."""
    return {"id": id, "start_s": round(start_s, 3), "end_s": round(max(start_s, end_s), 3)}
