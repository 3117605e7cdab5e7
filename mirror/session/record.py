"""The recorder: writes what the show sees to disk and never holds the show up.

In: sitters, faults and river hashes, from the show's thread; it only puts them into a queue. Out:
files (``reel.py``), written by the recorder's own thread and flushed four times a second; another
thread syncs them, since a slow disk may take seconds to. A disk that is full, gone or read-only
stops the recording with one line in the log; the show goes on. A disk that is too slow loses
moments, and the recording says how many.
"""

from __future__ import annotations

import errno
import logging
import queue
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from mirror.clock import Clock, MonotonicClock
from mirror.errors import MirrorError
from mirror.session.messages import encode_fault, encode_hash, encode_moment, encode_picture
from mirror.session.picture import as_jpeg
from mirror.session.reel import Limits, Reel
from mirror.session.schemas import Event, Moment, RiverHash, SessionHeader
from mirror.signals import Frame, Sitters

log = logging.getLogger(__name__)

#: What a kill loses at most, and what a power cut may lose besides.
FLUSH_EVERY_S, SYNC_EVERY_S = 0.25, 0.5

#: About a minute of markers; at most 50 MB of memory.
MOST_WAITING = 2048
MOST_PICTURES_WAITING = 6

#: How long the end of a show may wait for a slow disk.
CLOSE_S = 15.0
PATIENCE_S = 0.2

#: What a disk, or a value that is none, can raise while it is being written.
STOPPING = (OSError, MirrorError, ValueError, TypeError, AttributeError, MemoryError, struct.error)

#: An hour or half a gigabyte a file; 64 MB stay free on the disk.
USUAL = Limits()

Work = Callable[[Reel], None]


class Recorder:
    """A recording in progress. A context manager; no method ever raises into the show.

    path: the file to begin with; an existing one is not overwritten, ``path`` says which it
    became. header: what is running; its ``pictures`` allows ``picture``. limits: see ``Limits``.
    patient: wait for a slow disk instead of losing moments, as a film drawn frame by frame may.
    The values given are kept until written and must not be changed.
    """

    def __init__(
        self,
        path: Path,
        header: SessionHeader,
        limits: Limits = USUAL,
        clock: Clock | None = None,
        patient: bool = False,
    ) -> None:
        self._patient = patient
        self._wanted, self._header, self._limits = Path(path), header, limits
        self._clock = clock or MonotonicClock()
        self._waiting: queue.Queue[Work | None] = queue.Queue(MOST_WAITING)
        self._pictures = threading.Semaphore(MOST_PICTURES_WAITING)
        self._ready = threading.Event()
        self._reel: Reel | None = None
        self._time_s = header.start_s
        self._untold = 0
        self.stopped, self.reason, self.dropped = False, "", 0
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._ended = threading.Event()
        self._sync_error: OSError | None = None
        self._thread.start()
        threading.Thread(target=self._sync, name="recorder-sync", daemon=True).start()
        self._ready.wait(2.0)

    @property
    def path(self) -> Path:
        """The file that is written now; the one asked for until there is one."""
        reel = self._reel
        return reel.path if reel else self._wanted

    @property
    def pictures(self) -> bool:
        """Whether pictures of people are being recorded now: the screen shows a lamp then."""
        return self._header.pictures and not self.stopped

    def sitters(self, sitters: Sitters, capture_s: float, wall_ns: int) -> None:
        """Record all sitters of one moment, just as they go on to the latents.

        capture_s: monotonic clock when the picture was taken. wall_ns: wall clock now,
        nanoseconds since 1970.
        """
        moment = Moment(sitters, capture_s, self._clock.now_s(), wall_ns)

        def write(reel: Reel) -> None:
            publish_ns = wall_ns - round((moment.arrival_s - capture_s) * 1e9)
            reel.add(2, sitters.time_s, encode_moment(moment), publish_ns)

        self._time_s = sitters.time_s
        self._put(write)

    def fault(self, kind: str, time_s: float, detail: str = "") -> None:
        """Record that the camera froze, failed, came back."""
        event = Event(kind, time_s, detail=detail)
        self._put(lambda reel: reel.add(3, time_s, encode_fault(event)))

    def river_hash(self, step: int, time_s: float, sha256: str) -> None:
        """Record the river's hash, for a replay to compare with its own."""
        hashed = RiverHash(step, time_s, sha256)
        self._put(lambda reel: reel.add(4, time_s, encode_hash(hashed)))

    def picture(self, frame: Frame, time_s: float) -> None:
        """Record a camera frame as JPEG, if the header says pictures; else it is let go.

        time_s: when it was taken, on the session's clock; before its begin it is let go too.
        """
        if not self._header.pictures or time_s < self._header.start_s or not self._room():
            return

        def write(reel: Reel) -> None:
            self._pictures.release()
            data = encode_picture(as_jpeg(frame), frame.number, time_s, reel.log_ns(time_s))
            reel.add(5, time_s, data)

        self._put(write)

    def _room(self) -> bool:
        """Whether one more picture may wait; a patient recorder waits until it may."""
        patience_s = PATIENCE_S if self._patient else 0.0
        while not self.stopped:
            if self._pictures.acquire(timeout=patience_s):
                return True
            if not self._patient:
                self.dropped += 1
                return False
        return False

    def close(self) -> None:
        """Write what is waiting and the footer; returns after 15 s even if the disk does not."""
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=CLOSE_S)
            except queue.Full:
                pass
            self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            self._stop(TimeoutError(f"the disk did not answer for {CLOSE_S:.0f} s"))

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def _put(self, write: Work) -> None:
        while not self.stopped:
            try:
                return self._waiting.put(write, block=self._patient, timeout=PATIENCE_S)
            except queue.Full:
                if not self._patient:
                    self.dropped += 1
                    return

    def _stop(self, error: BaseException) -> None:
        self.reason = str(error) or type(error).__name__
        self.stopped = True
        while not self._waiting.empty():
            self._waiting.get_nowait()
        log.error("recording stopped, the show goes on: %s", self.reason)

    def _work(self) -> None:
        """The recorder's thread."""
        try:
            self._reel = Reel(self._wanted, self._header, self._limits)
            self._ready.set()
            log.info("recording to %s", self._reel.path)
            self._write_all(self._reel)
            self._reel.finish()
        except STOPPING as error:
            self._stop(error)
            if self._reel:
                _leave(self._reel, error)
        finally:
            self._ready.set()
            self._ended.set()

    def _sync(self) -> None:
        """The second thread: waits for the disk, so that the first need not."""
        while not self._ended.wait(SYNC_EVERY_S):
            try:
                if self._reel:
                    self._reel.sync()
            except ValueError:
                pass  # a part was closed meanwhile; closing syncs it
            except OSError as error:
                if error.errno != errno.EBADF:  # the same, a moment later
                    self._sync_error = error

    def _write_all(self, reel: Reel) -> None:
        """Write until told to end; settle four times a second, whatever comes or does not."""
        settle_s = self._now_s() + FLUSH_EVERY_S
        while True:
            try:
                write = self._waiting.get(timeout=max(0.0, settle_s - self._now_s()))
            except queue.Empty:
                write = _nothing
            if write is None:
                return self._tell_dropped(reel)
            write(reel)
            if self._now_s() >= settle_s:
                self._tell_dropped(reel)
                reel.settle()
                if self._sync_error:
                    raise self._sync_error
                settle_s = self._now_s() + FLUSH_EVERY_S

    def _tell_dropped(self, reel: Reel) -> None:
        lost = self.dropped - self._untold
        if lost:
            self._untold += lost
            event = Event("recording gap", self._time_s, detail=f"{lost} messages lost: slow disk")
            reel.add(3, event.time_s, encode_fault(event))
            log.warning("recording: %s", event.detail)

    @staticmethod
    def _now_s() -> float:
        return MonotonicClock().now_s()


def _leave(reel: Reel, error: BaseException) -> None:
    """A limit that was reached leaves a proper file; a disk that refused, what is on it."""
    if isinstance(error, MirrorError):
        try:
            return reel.finish("stopped")
        except STOPPING as another:
            log.debug("no proper end: %s", another)
    reel.drop()


def _nothing(reel: Reel) -> None:
    """Stands for a message when none came in time."""
