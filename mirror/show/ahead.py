"""Recorded sitters, decoded and read ahead of the time that they are wanted.

In: a recording's sitters. Out: the same with what is read in their markers, which depends on
nothing else. Only those moments come at which the river will ask who is there, and those at which
somebody comes or goes: of the others a river that nobody watches never hears. A process of its own
does it, many moments together, at a sixth of what they cost one after another: a thread would take
turns with the show's, and both together took longer than one after the other. For replays as fast
as can be.
"""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from multiprocessing.connection import Connection
from typing import Optional, Union

from mirror.closeable import Closeable
from mirror.latents.visitors import Reading
from mirror.signals import Sitter, Sitters

log = logging.getLogger(__name__)

#: So many moments are read together: some seconds, a megabyte of latents.
MOMENTS = 24
#: So many such batches are kept ready.
BATCHES = 2
#: A process that does not end when it is asked to is killed after so long, seconds.
PATIENCE_S = 2.0
#: A step of the river at the very time of a moment comes before it; off by rounding, seconds.
AT_ONCE_S = 1e-8

#: The sitters of one moment, and what is read in each of them; None where that was not done.
Told = tuple[Sitters, Optional[Sequence[Optional[Reading]]]]
#: The same, and the moment's number in its recording.
Numbered = tuple[int, Sitters, Sequence[Optional[Reading]]]
Source = Callable[[], Iterator[Sitters]]
Read = Callable[[Sequence[Sitter], Sequence[bool]], Sequence[Optional[Reading]]]
Attending = Callable[[], Iterator[float]]
Batch = Union[list[Numbered], Exception]


class Ahead(Closeable):
    """An iterator over the moments that matter, in order. Whatever goes wrong in the recording is
    raised by the ``next`` that would have met it, or up to ``MOMENTS`` before. Where there can be
    no process, or it was killed, all moments come, without what is read in them."""

    def __init__(self, source: Source, read: Read, attending: Attending, given: int = 0) -> None:
        """source: makes the recording's sitters anew. read: what is read in sitters, in their
        order, and of whom latents are wanted. attending: the times, in order, at which the river
        asks who is there. All three must go into another process. given: so many moments are
        passed over."""
        self._source, self._given = source, given
        self._batch = deque[Numbered]()
        self._alone: Iterator[Sitters] | None = None
        self._ended = False
        context = multiprocessing.get_context("spawn")
        self._ready, theirs = context.Pipe(duplex=False)
        self._process = context.Process(
            target=serve, args=(theirs, source, read, attending, given), name="mirror-ahead",
            daemon=True,
        )  # fmt: skip
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
        number, sitters, readings = self._batch.popleft()
        self._given = number + 1
        return sitters, readings

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


def serve(
    to: Connection, source: Source, read: Read, attending: Attending, given: int
) -> None:  # fmt: skip
    """What the process does: batch after batch, an empty one at the end, or what went wrong.

    multiprocessing pickles what goes between the two: over a pipe that the one inherits from the
    other, so that nothing from a file or a network is ever unpickled.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked for this ends it
    ready: queue.Queue[Batch] = queue.Queue(BATCHES)
    work = (ready, source, read, attending, given)
    threading.Thread(target=_work, args=work, daemon=True).start()
    with contextlib.suppress(OSError):  # nobody wants them any more
        while True:
            found = ready.get()
            to.send(found)
            if not found or isinstance(found, Exception):
                return


def _work(
    ready: queue.Queue[Batch], source: Source, read: Read, attending: Attending, given: int
) -> None:
    try:
        numbered = enumerate(islice(source(), given, None), given)
        moments = mattering(numbered, attending())
        while batch := list(islice(moments, MOMENTS)):
            ready.put(_together(batch, read))
        ready.put([])
    except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
        ready.put(error)


def mattering(
    moments: Iterable[tuple[int, Sitters]], attending_s: Iterator[float]
) -> Iterator[tuple[int, Sitters, bool]]:
    """Of numbered moments those that matter, and whether they are attended to: as the last one
    before a time is, and the last of all. Others matter when somebody comes or goes."""
    due_s, here = next(attending_s, math.inf), frozenset[int]()
    before: tuple[int, Sitters] | None = None
    for number, moment in moments:
        upto_s = moment.time_s + AT_ONCE_S
        if before is not None:
            attended = due_s <= upto_s
            ids = frozenset(sitter.id for sitter in before[1].sitters)
            if attended or ids != here or before[1].arrived or before[1].left:
                yield (*before, attended)
            here = ids
        while due_s <= upto_s:
            due_s = next(attending_s, math.inf)
        before = number, moment
    if before is not None:
        yield (*before, True)


def _together(moments: list[tuple[int, Sitters, bool]], read: Read) -> list[Numbered]:
    sitters = [sitter for _, each, _ in moments for sitter in each.sitters]
    wanted = [attended for _, each, attended in moments for _ in each.sitters]
    readings = iter(read(sitters, wanted))
    return [
        (number, each, list(islice(readings, len(each.sitters)))) for number, each, _ in moments
    ]
