"""The proof of a replay: the river's hashes as recorded, held against those of the replay.

In: recorded hashes in order of time, then the river's own at the same steps. Out: how many agreed
and when the first did not. The show's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from mirror.session.schemas import RiverHash

log = logging.getLogger(__name__)


class Proof:
    """Compares hash after hash; the first difference is logged with its time."""

    def __init__(self, recorded: Iterable[RiverHash]) -> None:
        self._recorded = iter(recorded)
        self._next = next(self._recorded, None)
        self._agreed = self._differed = 0
        self._first_s: float | None = None

    @property
    def due_s(self) -> float | None:
        """The river's time of the next recorded hash; None after the last."""
        return self._next.time_s if self._next else None

    def compare(self, sha256: str) -> None:
        """The river's hash at the time that was due."""
        recorded, self._next = self._next, next(self._recorded, None)
        if recorded is None or recorded.sha256 == sha256:
            self._agreed += 1
            return
        self._differed += 1
        if self._first_s is None:
            self._first_s = recorded.time_s
            log.warning("the river is not the recorded one from %.1f s on", recorded.time_s)

    def told(self) -> dict[str, Any]:
        """For the report: hashes that agreed, that did not, and the first that did not."""
        return {
            "agreed": self._agreed,
            "differed": self._differed,
            "first_difference_s": self._first_s,
        }
