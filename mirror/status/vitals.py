"""The show's vital signs: how it is, told once after every picture that was presented.

In: what the show knows. Out: a frozen ``Vitals``, the newest one at any time from any thread, and
to whoever listens. A supervisor is fed by these and by nothing else: a picture that stands still
tells nothing, however well its threads are.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mirror import __version__
from mirror.clock import Clock, MonotonicClock
from mirror.report import resident_mb
from mirror.status.gpu import gpu_mb

log = logging.getLogger(__name__)

#: Pictures a second are counted over so long, and memory is measured so often, seconds.
RATE_OVER_S, MEMORY_EVERY_S = 2.0, 1.0
#: How often the supervisor has started the program again, told in the environment.
RESTARTS = "MIRROR_RESTARTS"


@dataclass(frozen=True)
class Vitals:
    """How the show is, after one more presented picture.

    pictures: presented so far. at_s: when the last one was, on the computer's monotonic clock;
    0 before the first. uptime_s: since the show began. time_s: the piece's own time. fps: over the
    last two seconds. stage_ms: what each stage took last. piece, version, renderer: in words.
    weights: sha256 of each school. camera: what it does, in a word: 'opening', 'running',
    'blocked', 'frozen', 'failed', 'gone', 'ended', 'paused', or 'session' and 'nobody' where there
    is no camera. silent_s: since the eyes last told of anything. sitters: present now.
    visits: since the start. camera_faults, painting_faults: counts by kind and by school.
    screen_faults: how often the screen had to be built again. painted: textures so far.
    painting: whether the painter lives. rss_mb: memory of the process; gpu_mb: of the GPU where
    it can be measured, else None. last_error: the newest warning or error of the log. ladder:
    rungs that the load has been taken down, 0 is none. opening: 'open', 'closing' or 'closed'.
    resting: nothing is painted on purpose. resumed: whether the river was taken up from a file.
    restarts: by the supervisor, so far.
    """

    pictures: int = 0
    at_s: float = 0.0
    uptime_s: float = 0.0
    time_s: float = 0.0
    fps: float = 0.0
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    piece: str = ""
    version: str = __version__
    renderer: str = ""
    weights: Mapping[str, str] = field(default_factory=dict)
    camera: str = "opening"
    silent_s: float = 0.0
    sitters: int = 0
    visits: int = 0
    camera_faults: Mapping[str, int] = field(default_factory=dict)
    painting_faults: Mapping[str, int] = field(default_factory=dict)
    screen_faults: int = 0
    painted: int = 0
    painting: bool = True
    rss_mb: float = 0.0
    gpu_mb: float | None = None
    last_error: str = ""
    ladder: int = 0
    opening: str = "open"
    paused: bool = False
    resting: bool = False
    resumed: bool = False
    restarts: int = 0

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, separators=(",", ":"))


class Pulse:
    """Where the show publishes its vital signs. One for a run; ``beat`` is the show's thread."""

    def __init__(self, clock: Clock | None = None, **first: Any) -> None:
        """first: what is known before the first picture."""
        self._clock = clock or MonotonicClock()
        self._start_s = self._measured_s = self._clock.now_s()
        self._times_s: deque[float] = deque()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Vitals], None]] = []
        restarts = os.environ.get(RESTARTS, "")
        self._newest = Vitals(
            rss_mb=resident_mb(), restarts=int(restarts) if restarts.isdigit() else 0, **first
        )

    @property
    def newest(self) -> Vitals:
        """The vital signs after the last presented picture; any thread may ask."""
        return self._newest

    def listen(self, hear: Callable[[Vitals], None]) -> None:
        """Call ``hear`` after each picture, on the show's thread: it must return at once.

        One that raises is not called again; the show goes on.
        """
        with self._lock:
            self._listeners.append(hear)

    def beat(self, **signs: Any) -> Vitals:
        """One more picture was presented. signs: fields of ``Vitals`` that the show knows."""
        now_s = self._clock.now_s()
        self._times_s.append(now_s)
        while self._times_s[0] < now_s - RATE_OVER_S:
            self._times_s.popleft()
        span_s = now_s - self._times_s[0]
        rate = (len(self._times_s) - 1) / span_s if span_s > 0 else 0.0
        if now_s - self._measured_s >= MEMORY_EVERY_S:
            self._measured_s, signs["rss_mb"], signs["gpu_mb"] = now_s, resident_mb(), gpu_mb()
        self._newest = dataclasses.replace(
            self._newest, pictures=self._newest.pictures + 1, at_s=now_s,
            uptime_s=now_s - self._start_s, fps=round(rate, 2), **signs,
        )  # fmt: skip
        for hear in tuple(self._listeners):
            self._tell(hear, self._newest)
        return self._newest

    def note(self, **signs: Any) -> None:
        """Something has changed, but no picture was presented."""
        self._newest = dataclasses.replace(self._newest, **signs)

    def _tell(self, hear: Callable[[Vitals], None], vitals: Vitals) -> None:
        try:
            hear(vitals)
        except Exception:
            log.exception("a listener to the vital signs failed and is left out")
            with self._lock:
                self._listeners.remove(hear)


class LastWords(logging.Handler):
    """Keeps the newest warning or error of the log, for the vital signs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep its text."""
        self.text = f"{record.levelname.lower()}: {record.getMessage()}"[:300]


@contextmanager
def last_words() -> Iterator[LastWords]:
    """Listen to the program's log for the time of a block."""
    words, logger = LastWords(), logging.getLogger("mirror")
    logger.addHandler(words)
    try:
        yield words
    finally:
        logger.removeHandler(words)
