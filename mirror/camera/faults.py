"""What can go wrong with a camera: faults come in one by one, counts go out.

The first fault of each kind is logged as a warning, all later ones only for whoever debugs: a
camera that is unplugged for a weekend must not fill the disk. Any thread may call ``Faults``;
``Stillness`` belongs to the camera's own threads.
"""

from __future__ import annotations

import logging
import threading
import zlib

import numpy as np

from mirror.signals import Bytes

logger = logging.getLogger(__name__)

#: failed_read: the source broke off. blocked_read: it said nothing for too long. frozen: the same
#: picture again and again. corrupt: a damaged picture, not given on. gone: it cannot be opened.
#: reopened: it came back. wrong_size: the picture's size changed on the way.
KINDS = (
    "failed_read", "blocked_read", "frozen", "corrupt", "gone", "reopened", "wrong_size",
)  # fmt: skip

#: What a camera may be doing; see ``Camera.state``.
STATES = ("opening", "running", "blocked", "frozen", "failed", "gone", "ended")


class Faults:
    """How often each kind of fault happened to one source."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._counts = dict.fromkeys(KINDS, 0)
        self._last = ""
        self._lock = threading.Lock()

    def count(self, kind: str, detail: object = "") -> None:
        """One more of this kind."""
        with self._lock:
            self._counts[kind] += 1
            self._last = f"{kind.replace('_', ' ')}: {detail}"
            first = self._counts[kind] == 1
        level = logging.DEBUG
        if first:
            level = logging.INFO if kind == "reopened" else logging.WARNING
        why = f" ({detail})" if detail else ""
        logger.log(level, "%s: %s%s", self._source, kind.replace("_", " "), why)

    @property
    def last(self) -> str:
        """The last one in words, with why; "" as long as there was none."""
        with self._lock:
            return self._last

    @property
    def counts(self) -> dict[str, int]:
        """All kinds with their counts so far."""
        with self._lock:
            return dict(self._counts)


class Stillness:
    """Tells a camera that repeats itself from a room in which nothing moves.

    A real sensor has noise, so two of its pictures are never the same bit for bit; a driver or a
    server that has lost its sensor repeats the last one exactly. Each eighth row is compared:
    0.1 ms for a 1280x720 picture.
    """

    def __init__(self) -> None:
        self._digest: tuple[tuple[int, ...], int] | None = None
        self._since_s = 0.0

    def see(self, picture: Bytes, now_s: float) -> float:
        """For how many seconds this very picture has been seen; (H, W, 3) uint8."""
        digest = (picture.shape, zlib.crc32(np.ascontiguousarray(picture[::8]).data))
        if digest != self._digest:
            self._digest, self._since_s = digest, now_s
        return now_s - self._since_s

    def forget(self) -> None:
        """Begin again: the time in which nothing was seen does not count."""
        self._digest = None
