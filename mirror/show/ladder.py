"""A ladder under load: what the machine cannot carry is left out, least missed first, and put back.

In: pictures a second and the time. Out: a rung, and what it leaves out: first fewer paintings,
then a smaller surface, then fewer parcels. Down after some seconds of too few pictures, up after
many of enough; a step up that had to be taken back is tried again only after longer, so that the
picture does not go to and fro. Before all rungs painting, which is slow by nature, makes way little
by little as soon as pictures do not come at their full rate. Pure: the show's thread asks.
"""

from __future__ import annotations

import numpy as np

from mirror.pauses import Pauses
from mirror.pieces.arrangement import hashed
from mirror.settings import LoadSettings
from mirror.signals import Floats

#: What each rung leaves out, in this order, and all that those before it do.
RUNGS = ("", "fewer paintings", "smaller surface", "fewer parcels")
#: Too few pictures for so long is too much load, and a rung shows what it does after so long.
DOWN_S, SETTLES_S = 3.0, 6.0
#: Enough pictures, by this much, for so long, and the load may have gone; at most after so long.
ENOUGH, UP_S, LONGEST_UP_S = 1.3, 20.0, 1800.0
#: A step up that lasted for less was one too many.
TOO_SOON_S = 60.0
#: From the second rung on the picture has so many of its rows; on the third so many parcels stay.
SURFACE, STAY, FADES_S = 0.5, 0.5, 3.0
#: From the first rung on a painting is begun so often.
PAINTS_EVERY_S = 1.0
#: Before that, while pictures are late: at first so often, then ever more seldom down to this.
FIRST_PAINTS_S, LATE_PAINTS_S, PACE = 0.1, 0.75, 1.6
#: Pictures are late below this share of their rate, for so long; in time above that, for so long.
LATE, LATE_S, IN_TIME, IN_TIME_S = 0.95, 1.0, 0.98, 8.0


class Ladder:
    """Where the show stands on it. rung: 0 is the floor above all: nothing is left out."""

    def __init__(self, settings: LoadSettings, rate_hz: float) -> None:
        """rate_hz: pictures a second that are wanted."""
        self._least_hz, self._rate_hz = settings.least_hz, rate_hz
        self._paints_every_s, self._paced_s = 0.0, -np.inf
        self.rung = 0
        self._pauses = Pauses(UP_S, LONGEST_UP_S)
        self._up_after_s = self._pauses.take()
        self._few_s: float | None = None
        self._many_s: float | None = None
        self._moved_s, self._climbed_s = -SETTLES_S, -np.inf
        self._stay, self._at_s = 1.0, 0.0

    def look(self, fps: float, now_s: float) -> int:
        """The rung to stand on now. fps: over the last seconds. now_s: of any clock."""
        goal = STAY if self.rung >= 3 else 1.0
        most = max(0.0, now_s - self._at_s) / FADES_S
        self._stay += min(most, max(-most, goal - self._stay))
        self._at_s = now_s
        if self._least_hz > 0:
            self._pace(fps, now_s - self._paced_s, now_s)
        if self._least_hz <= 0 or now_s - self._moved_s < SETTLES_S:
            self._few_s = self._many_s = None
            return self.rung
        self._few_s = _since(self._few_s, fps < self._least_hz, now_s)
        self._many_s = _since(self._many_s, fps > ENOUGH * self._least_hz, now_s)
        if self._few_s is not None and now_s - self._few_s >= DOWN_S and self.rung < len(RUNGS) - 1:
            self._down(now_s)
        elif self._many_s is not None and now_s - self._many_s >= self._up_after_s and self.rung:
            self.rung, self._moved_s, self._climbed_s = self.rung - 1, now_s, now_s
        return self.rung

    def _down(self, now_s: float) -> None:
        if now_s - self._climbed_s < TOO_SOON_S:
            self._up_after_s = self._pauses.take()
        else:
            self._pauses.reset()
            self._up_after_s = self._pauses.take()
        self.rung, self._moved_s = self.rung + 1, now_s

    def _pace(self, fps: float, since_s: float, now_s: float) -> None:
        """Paint more seldom, or oftener; since_s: how long ago that was last changed."""
        every_s = self._paints_every_s
        if fps < LATE * self._rate_hz and since_s >= LATE_S:
            every_s = min(LATE_PAINTS_S, max(FIRST_PAINTS_S, PACE * every_s))
        elif fps > IN_TIME * self._rate_hz and since_s >= IN_TIME_S:
            every_s = every_s / PACE if every_s > FIRST_PAINTS_S else 0.0
        else:
            return
        self._paints_every_s, self._paced_s = every_s, now_s

    @property
    def paints_every_s(self) -> float:
        """No more than one painting is begun in so long."""
        return PAINTS_EVERY_S if self.rung >= 1 else self._paints_every_s

    @property
    def surface(self) -> float:
        """Share of its rows that the picture is drawn with."""
        return SURFACE if self.rung >= 2 else 1.0

    def staying(self, parcel: np.ndarray, seed: int) -> Floats:
        """How far each parcel stays, 0 to 1: whoever goes fades.  (P,) float32"""
        order = hashed(parcel, seed, 77)
        gone = np.clip((order + 0.3 - 1.3 * self._stay) / 0.3, 0.0, 1.0)
        return (1.0 - gone).astype(np.float32)


def _since(before_s: float | None, so: bool, now_s: float) -> float | None:
    """Since when something has been so; None when it is not."""
    return (now_s if before_s is None else before_s) if so else None
