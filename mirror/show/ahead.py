"""Recorded sitters, decoded and read ahead of the time that they are wanted.

In: a recording's sitters. Out: the same with what is read in their markers, which depends on
nothing else. A process of its own does it, many moments together, at a sixth of what they cost one
after another: a thread would take turns with the show's, and both together took longer than one
after the other. For replays as fast as can be.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from multiprocessing.connection import Connection
from typing import Optional, Union

from mirror.closeable import Closeable
from mirror.latents.visitors import Reading
from mirror.signals import Sitter, Sitters

log = logging.getLogger(__name__)

#: So many moments are read together: under a second, a megabyte of latents.
MOMENTS = 24
#: So many such batches are kept ready.
BATCHES = 2
#: A process that does not end when it is asked to is killed after so long, seconds.
PATIENCE_S = 2.0

#: The sitters of one moment, and what is read in each of them; None where that was not done.
Told = tuple[Sitters, Optional[Sequence[Optional[Reading]]]]
Source = Callable[[], Iterator[Sitters]]
Read = Callable[[Sequence[Sitter]], Sequence[Optional[Reading]]]
Batch = Union[list[Told], Exception]


class Ahead(Closeable):
    """An iterator over moments, in order. Whatever goes wrong in the recording is raised by the
    ``next`` that would have met it, or up to ``MOMENTS`` before. Where there can be no process, or
    it was killed, moments come all the same, without what is read in them."""

    def __init__(self, source: Source, read: Read, given: int = 0) -> None:
        """source: makes the recording's sitters anew. read: what is read in sitters, in their
        order. Both must go into another process. given: so many moments are passed over."""
        self._source, self._given = source, given
        self._batch = deque[Told]()
        self._alone: Iterator[Sitters] | None = None
        self._ended = False
        context = multiprocessing.get_context("spawn")
        self._ready, theirs = context.Pipe(duplex=False)
        self._process = context.Process(
            target=serve, args=(theirs, source, read, given), name="mirror-ahead", daemon=True
        )
        try:
            self._process.start()
        except OSError as error:
            self._go_on_alone(str(error))
        theirs.close()

    def __iter__(self) -> Ahead:
        return self

    def __next__(self) -> Told:
        if not (self._batch or self._ended or self._alone):
            self._fetch()
        if self._alone is not None:
            return next(self._alone), None
        if not self._batch:
            raise StopIteration
        self._given += 1
        return self._batch.popleft()

    def close(self) -> None:
        """End the process; may be called twice."""
        self._ready.close()
        if self._process.pid is not None and self._process.is_alive():
            self._process.terminate()
            self._process.join(PATIENCE_S)
            if self._process.is_alive():
                self._process.kill()

    def _fetch(self) -> None:
        """The next batch; waits for it."""
        try:
            found: Batch = self._ready.recv()
        except (EOFError, OSError):
            self._process.join(PATIENCE_S)
            return self._go_on_alone(f"the process ended with status {self._process.exitcode}")
        self._ended = isinstance(found, Exception) or not found
        if isinstance(found, Exception):
            raise found
        self._batch.extend(found)

    def _go_on_alone(self, why: str) -> None:
        log.warning("nothing is read ahead any more, which is slower: %s", why)
        self._alone = islice(self._source(), self._given, None)


def serve(to: Connection, source: Source, read: Read, given: int) -> None:
    """What the process does: batch after batch, an empty one at the end, or what went wrong.

    multiprocessing pickles what goes between the two: over a pipe that the one inherits from the
    other, so that nothing from a file or a network is ever unpickled.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked for this ends it
    ready: queue.Queue[Batch] = queue.Queue(BATCHES)
    threading.Thread(target=_work, args=(ready, source, read, given), daemon=True).start()
    with contextlib.suppress(OSError):  # nobody wants them any more
        while True:
            found = ready.get()
            to.send(found)
            if not found or isinstance(found, Exception):
                return


def _work(ready: queue.Queue[Batch], source: Source, read: Read, given: int) -> None:
    try:
        sitters = islice(source(), given, None)
        while moments := list(islice(sitters, MOMENTS)):
            ready.put(_together(moments, read))
        ready.put([])
    except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
        ready.put(error)


def _together(moments: list[Sitters], read: Read) -> list[Told]:
    readings = iter(read([sitter for each in moments for sitter in each.sitters]))
    return [(each, list(islice(readings, len(each.sitters)))) for each in moments]
