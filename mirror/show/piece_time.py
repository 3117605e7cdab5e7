"""The piece's own time, which can be taken up after a restart and made to stand still.

In: the clock of the run. Out: seconds of the piece. The show's thread.
"""

from __future__ import annotations

from mirror.clock import Clock


class PieceTime:
    """began_s: the piece's time when this run began; 0 unless an earlier run was taken up."""

    def __init__(self, clock: Clock, began_s: float = 0.0) -> None:
        self._clock, self.began_s = clock, began_s
        self._start_s = clock.now_s() - began_s
        self._frozen_s: float | None = None

    @property
    def now_s(self) -> float:
        """Seconds since the piece began, without those that it stood still."""
        now_s = self._clock.now_s() if self._frozen_s is None else self._frozen_s
        return now_s - self._start_s

    def at_s(self, clock_s: float) -> float:
        """The piece's time at a time of the clock; no later than when it came to stand still."""
        return min(clock_s, self._frozen_s or clock_s) - self._start_s

    @property
    def stands(self) -> bool:
        """Whether it stands still."""
        return self._frozen_s is not None

    def freeze(self, frozen: bool) -> float:
        """Stand still, or go on from where it stood; returns for how long it stood, then."""
        now_s, stood_s = self._clock.now_s(), 0.0
        if frozen and self._frozen_s is None:
            self._frozen_s = now_s
        elif not frozen and self._frozen_s is not None:
            stood_s, self._frozen_s = now_s - self._frozen_s, None
            self._start_s += stood_s
        return stood_s
