"""The porter: opens and closes the piece by the site's hours, or as show control asks.

In: the time of day, and what was asked. Out: whether it is open, and the piece that is shown.
The time of day is looked up again at each call and nothing is remembered of it: a clock that is
set, or a change of time zone, is right from the next look on. The show's thread.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from mirror.clock import local_now
from mirror.settings import HoursSettings
from mirror.site.hours import is_open, spans

#: The time of day is looked up so often, seconds.
LOOK_S = 1.0


class Porter:
    """open: whether it is. dark: closed, and nothing is to be seen."""

    def __init__(
        self, settings: HoursSettings, now: Callable[[], datetime.datetime] = local_now
    ) -> None:
        self._spans, self._closing, self._now = spans(settings.open), settings.closing, now
        self._looked_s = float("-inf")
        self._asked = "hours"
        self._by_day = ""
        self.open = True

    def look(self, now_s: float, asked: str, piece: str) -> str:
        """The piece that is to be shown from now on.

        now_s: of a clock that never jumps. asked: ``open``, ``closed`` or ``hours``. piece: the
        one shown now; it comes back when it is opened again.
        """
        if now_s - self._looked_s < LOOK_S and asked == self._asked:
            return piece
        self._looked_s, self._asked = now_s, asked
        before = self.open
        self.open = asked == "open" or (asked == "hours" and is_open(self._spans, self._now()))
        if self._closing != "passersby" or before == self.open:
            return piece
        if self.open:
            return self._by_day or piece
        self._by_day = piece
        return "passersby"

    @property
    def dark(self) -> bool:
        """Whether nothing is to be seen."""
        return not self.open and self._closing == "dark"

    def by_day(self, piece: str) -> str:
        """The piece that is shown when it is open. piece: the one shown now."""
        return piece if self.open or self._closing != "passersby" else self._by_day or piece
