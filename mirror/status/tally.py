"""What has to be followed over time: visits a day, and since when the camera is away.

In: the newest vital signs, once a second, in a thread of its own. Out: counts. Visits a day are
kept in one small file if the site names one: a date and a number, nothing else. A disk that is
full or hangs stops nobody.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from mirror.cards import write_whole
from mirror.clock import MonotonicClock, utc_now
from mirror.status.health import AWAY
from mirror.status.vitals import Vitals

log = logging.getLogger(__name__)

#: Days that are kept; how often the signs are looked at and the file is written, seconds.
MOST_DAYS, LOOK_S, WRITE_S = 800, 1.0, 60.0


class Tally:
    """Follows the vital signs until it is closed. visits: by day of this place, newest last."""

    def __init__(self, newest: Callable[[], Vitals], file: str, look_s: float = LOOK_S) -> None:
        """newest: the show's vital signs. file: where visits a day are kept; empty: nowhere."""
        self._newest, self._look_s = newest, look_s
        self._path = Path(file) if file else None
        self._now_s = MonotonicClock().now_s
        self._away_since_s: float | None = None
        self._seen, self._written_s, self._refused = newest().visits, self._now_s(), False
        self.visits: dict[str, int] = self._read()
        self._changed = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tally", daemon=True)
        self._thread.start()

    @property
    def camera_away_s(self) -> float:
        """For how long the camera has been away; 0 while it is not."""
        since_s = self._away_since_s
        return 0.0 if since_s is None else self._now_s() - since_s

    def close(self) -> None:
        """Count what is still to be counted, and write it."""
        self._closing.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closing.wait(self._look_s):
            self._look()
            if self._now_s() - self._written_s >= WRITE_S:
                self._write()
        self._look()
        self._write()

    def _look(self) -> None:
        vitals = self._newest()
        away = vitals.camera in AWAY
        if not away:
            self._away_since_s = None
        elif self._away_since_s is None:
            self._away_since_s = self._now_s()
        new, self._seen = vitals.visits - self._seen, vitals.visits
        if new <= 0:
            return
        today = f"{utc_now().astimezone():%Y-%m-%d}"
        visits = {**self.visits, today: self.visits.get(today, 0) + new}
        self.visits = dict(sorted(visits.items())[-MOST_DAYS:])
        self._changed = True

    def _read(self) -> dict[str, int]:
        """What was counted before; a file that is none of ours is left alone and not read."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(day): int(count) for day, count in sorted(kept.items())[-MOST_DAYS:]}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            log.warning("%s: no file of visits a day (%s); it is left as it is", self._path, error)
            self._path = None
            return {}

    def _write(self) -> None:
        if self._path is None or not self._changed:
            return
        self._written_s = self._now_s()
        try:
            write_whole(self._path, (json.dumps(self.visits, indent=0) + "\n").encode())
            self._changed = self._refused = False
        except OSError as error:
            if not self._refused:
                log.warning("%s: visits cannot be kept: %s", self._path, error.strerror)
            self._refused = True
