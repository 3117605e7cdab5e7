"""Recorded sitters, decoded and read ahead of the time that they are wanted.

In: a recording's sitters. Out: the same with what is read in their markers, which depends on
nothing else. Many moments are read together, at a sixth of what they cost one after another, by a
thread of its own: most of that work lets other threads run. For replays as fast as can be.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Optional

from mirror.closeable import Closeable
from mirror.latents.visitors import Reading
from mirror.signals import Sitter, Sitters

#: So many moments are read together: under a second, a few megabytes of latents.
MOMENTS = 24
#: So many such batches are kept ready.
BATCHES = 2
PATIENCE_S = 0.2

#: The sitters of one moment, and what is read in each of them.
Told = tuple[Sitters, Sequence[Optional[Reading]]]
Read = Callable[[Sequence[Sitter]], Sequence[Optional[Reading]]]


class Ahead(Closeable):
    """An iterator over moments, in order. Whatever goes wrong in the recording is raised by the
    ``next`` that would have met it, or up to ``MOMENTS`` before."""

    def __init__(self, sitters: Iterator[Sitters], read: Read) -> None:
        """read: what is read in sitters, in their order; called by the thread."""
        self._sitters, self._read = sitters, read
        self._ready: queue.Queue[list[Told] | Exception] = queue.Queue(BATCHES)
        self._batch = deque[Told]()
        self._closing = self._ended = False
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Ahead:
        return self

    def __next__(self) -> Told:
        if not self._batch and not self._ended:
            found = self._ready.get()
            self._ended = isinstance(found, Exception) or not found
            if isinstance(found, Exception):
                raise found
            self._batch.extend(found)
        if not self._batch:
            raise StopIteration
        return self._batch.popleft()

    def close(self) -> None:
        """End the thread; may be called twice."""
        self._closing = True
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing:
                moments = list(islice(self._sitters, MOMENTS))
                self._put(self._together(moments))
                if not moments:
                    return
        except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
            self._put(error)

    def _together(self, moments: list[Sitters]) -> list[Told]:
        readings = iter(self._read([sitter for each in moments for sitter in each.sitters]))
        return [(each, list(islice(readings, len(each.sitters)))) for each in moments]

    def _put(self, ready: list[Told] | Exception) -> None:
        while not self._closing:
            try:
                return self._ready.put(ready, timeout=PATIENCE_S)
            except queue.Full:
                continue
