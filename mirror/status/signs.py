"""Everything that is told about the show, gathered from its parts; and the wish for a picture.

In: the show. Out: a frozen ``Signs``, at most as old as ``FRESH_S``, so that a thousand questions
a second cost the show what one costs. Any thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mirror.clock import MonotonicClock
from mirror.signals import Bytes
from mirror.status.health import Health, judge
from mirror.status.tally import Tally
from mirror.status.vitals import Pulse, Vitals

log = logging.getLogger(__name__)

#: What is told may be so old; a picture too, seconds.
FRESH_S, PICTURE_FRESH_S = 0.5, 1.0
#: Whoever asks for a picture waits for it at most so long.
PATIENCE_S = 2.0


@dataclass(frozen=True)
class Signs:
    """vitals, health: of the show. timings: quantiles by stage, milliseconds. visits: by day.
    standing: what was asked of the show, by word. log: lines logged, by level. osc: packets, by
    what became of them. picture_age_s: of the newest picture on the screen."""

    vitals: Vitals
    health: Health
    picture_age_s: float
    timings: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)
    standing: Mapping[str, Any] = field(default_factory=dict)
    log: Mapping[str, int] = field(default_factory=dict)
    osc: Mapping[str, int] = field(default_factory=dict)


class Gatherer:
    """Keeps the newest ``Signs``; asks the show's parts no more often than is useful."""

    def __init__(
        self,
        newest: Callable[[], Vitals],
        tally: Tally,
        more: Mapping[str, Callable[[], Mapping[str, Any]]],
    ) -> None:
        """more: where timings, standing, log and osc come from, by name."""
        self._newest, self._tally, self._more = newest, tally, more
        self._now_s = MonotonicClock().now_s
        self._begun_s = self._at_s = self._now_s()
        self._lock = threading.Lock()
        self._signs: Signs | None = None

    def signs(self) -> Signs:
        """The newest."""
        with self._lock:
            now_s = self._now_s()
            if self._signs is None or now_s - self._at_s > FRESH_S:
                self._at_s, self._signs = now_s, self._gathered(now_s)
            return self._signs

    def _gathered(self, now_s: float) -> Signs:
        vitals = self._newest()
        health = judge(vitals, now_s, self._begun_s, self._tally.camera_away_s)
        age_s = now_s - vitals.at_s if vitals.pictures else now_s - self._begun_s
        more = {name: dict(ask()) for name, ask in self._more.items()}
        return Signs(vitals, health, max(0.0, age_s), visits=dict(self._tally.visits), **more)


class Peephole:
    """One side wishes for a picture; the show's thread gives it after the next it presents."""

    def __init__(self, pulse: Pulse, glimpse: Callable[[], Bytes]) -> None:
        """glimpse: takes a small copy of the picture on the screen; on the show's thread."""
        self._glimpse = glimpse
        self._now_s = MonotonicClock().now_s
        self._wanted, self._came = threading.Event(), threading.Condition()
        self._picture: Bytes | None = None
        self._failed = False
        self._taken_s = float("-inf")
        pulse.listen(self._heard)

    def look(self) -> Bytes | None:
        """The picture on the screen, (H, W, 3) uint8 RGB, or None where there is none now."""
        with self._came:
            if self._now_s() - self._taken_s > PICTURE_FRESH_S:
                self._wanted.set()
                self._came.wait_for(
                    lambda: self._now_s() - self._taken_s <= PICTURE_FRESH_S, PATIENCE_S
                )
            return self._picture if self._now_s() - self._taken_s <= PATIENCE_S else None

    def _heard(self, vitals: Vitals) -> None:
        if not self._wanted.is_set():
            return
        self._wanted.clear()
        try:
            picture = self._glimpse()
        except Exception as error:  # noqa: BLE001 - whatever the driver's binding raises
            level = logging.DEBUG if self._failed else logging.WARNING
            self._failed = True
            log.log(level, "the status page has no picture: %s", error)
            return
        with self._came:
            self._picture, self._taken_s = picture, self._now_s()
            self._came.notify_all()
