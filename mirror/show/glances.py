"""What eyes give the show: the sitters of one moment.

Recorded ones may come with what is read in their markers, see ``ahead``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mirror.latents.visitors import Reading
from mirror.signals import Sitters


@dataclass(frozen=True)
class Glance:
    """sitters: who is there. hand_s: when their frame was in hand, on the clock of the show.
    readings: what is read in each of them, where that was done before; see ``ahead``."""

    sitters: Sitters
    hand_s: float
    readings: Sequence[Reading | None] | None = None
