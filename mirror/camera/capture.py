"""The camera itself: a ``Source`` comes in, the newest ``Frame`` can be asked for at any time.

Threads of a live source: ``camera`` watches, and for each time that the source is opened there is
one ``camera take`` that reads. A read that comes back too late finds its take dropped: it may not
deliver any more, and its thread ends. A file needs one thread, ``camera film``, which plays it on
the clock.

Nothing is queued: a newer frame takes the place of the older one. Faults are counted, the source
is opened again for ever, and whoever asks for frames sees nothing of it but the lack of them.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import replace

from mirror.camera.faults import Faults, Stillness
from mirror.camera.films import film, mirrored, probe
from mirror.camera.readers import Achieved, Reader, Shot, open_reader
from mirror.camera.sources import Source
from mirror.clock import Clock, MonotonicClock
from mirror.errors import SourceError
from mirror.pauses import Pauses
from mirror.settings import CameraSettings
from mirror.signals import Bytes, Frame

logger = logging.getLogger(__name__)

#: So long over its own timeout a read may be before the watch gives it up.
GRACE_S = 0.5
#: Some webcams take seconds to wake up: the opening of one may last at least so long.
DEVICE_WAKES_S = 10.0
#: So many takes may hang at once; no more are begun until one of them comes back.
MOST_HANGING = 3
#: After so many good pictures of one take the next pause is the shortest again.
WELL_AGAIN_SHOTS = 10
#: The watch looks so often, and never opens a source sooner than this.
LEAST_PAUSE_S = 0.1
#: Closing waits so long for the threads; a blocked one ends by itself, later.
CLOSE_S = 1.0
#: A film's thread looks at the clock so often: a clock may be moved by hand.
LOOK_S = 0.01
#: A film too heavy for this computer still shows a picture so often.
SLOWEST_SHOW_S = 0.25

#: What the fault that ends a take makes of the camera.
AFTER = {"failed_read": "failed", "corrupt": "failed", "blocked_read": "blocked",
         "frozen": "frozen", "gone": "gone"}  # fmt: skip


class Take:
    """A source from one opening to its first serious fault; its thread writes all but dropped."""

    def __init__(self, now_s: float, patience_s: float, stillness: Stillness) -> None:
        self.began_s = now_s
        self.sign_s = now_s  # when it last gave a sign of life
        self.good_s = now_s  # when its last good picture came
        self.patience_s = patience_s  # so long it may give no sign
        self.stillness = stillness
        self.reopen_s: float | None = None  # while frozen: when to open the source again
        self.shots = 0  # good ones so far
        self.dropped = threading.Event()
        self.thread = threading.Thread()


class Camera:
    """A source that is watched, opened again and again, and asked for its newest frame.

    A context manager. state, in a word: 'opening' until the first frame, then 'running',
    'blocked', 'frozen', 'failed' or 'gone' until the next good frame; a film's last is 'ended',
    or 'failed' if it broke off. ended: a film has played to its end. achieved: what the source
    really gives, once it is open.

    Frames of a live source are numbered as they are delivered, and their time is when they came
    in; those of a film have their number in the film, so that a gap tells of one left out, and
    the time at which they were due. Both are on the clock that was given.

    Raises SourceError for a file that is no video; never for a camera, which may come later.
    """

    def __init__(
        self, source: Source, settings: CameraSettings, clock: Clock, loop: bool = False
    ) -> None:
        self._source, self._settings, self._clock, self._loop = source, settings, clock, loop
        self._now_s = MonotonicClock().now_s  # faults happen in real time, whatever the clock
        self._faults = Faults(str(source))
        self._pauses = Pauses(settings.reopen_first_s, settings.reopen_most_s)
        self._condition = threading.Condition()
        self._closing = threading.Event()
        self._frame: Frame | None = None
        self._delivered = 0
        self._shape: tuple[int, ...] | None = None
        self._take: Take | None = None
        self.state = "opening"
        self.ended = False
        self.achieved: Achieved | None = None
        if not source.live:
            facts = probe(source)
            self.achieved = Achieved(facts.width_px, facts.height_px, facts.rate_hz, "file", "PyAV")
        work, name = (self._watch, "camera") if source.live else (self._play, "camera film")
        self._thread = threading.Thread(target=work, name=name, daemon=True)
        self._thread.start()

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def faults(self) -> dict[str, int]:
        """How often each kind of fault happened so far; ``faults.KINDS`` explains them."""
        return self._faults.counts

    @property
    def trouble(self) -> str:
        """The last fault in words, with why; "" as long as there was none."""
        return self._faults.last

    def newest(self, after: int = -1) -> Frame | None:
        """The newest frame, if its number is beyond ``after``; never waits."""
        frame = self._frame
        return frame if frame is not None and frame.number > after else None

    def wait(self, after: int, timeout_s: float) -> Frame | None:
        """The newest frame beyond ``after``; waits for it, in real time.

        None after the timeout, and at once when the film has ended or the camera was closed.
        """
        with self._condition:
            self._condition.wait_for(
                lambda: self.newest(after) or self.ended or self._closing.is_set(), timeout_s
            )
            return self.newest(after)

    def close(self) -> None:
        """Let go of the source and of the last picture. May be called twice."""
        self._closing.set()
        with self._condition:
            take, self._take, self._frame = self._take, None, None
            self._condition.notify_all()
        threads = [self._thread]
        if take is not None:
            take.dropped.set()
            threads.append(take.thread)
        deadline_s = self._now_s() + CLOSE_S
        for thread in threads:
            thread.join(max(0.0, deadline_s - self._now_s()))

    def _deliver(self, picture: Bytes, time_s: float, number: int, take: Take | None) -> bool:
        """Make a picture the newest frame; False if its take was dropped meanwhile."""
        frame = Frame(mirrored(picture, self._settings.mirror), number, time_s)
        with self._condition:
            if self._closing.is_set() or take is not self._take:
                return False
            resized = self._shape not in (None, picture.shape)
            self._frame = frame if number >= 0 else replace(frame, number=self._delivered)
            self._delivered += 1
            self._shape, self.state = picture.shape, "running"
            self._condition.notify_all()
        if resized:
            self._faults.count("wrong_size", f"now {picture.shape[1]}x{picture.shape[0]}")
        return True

    # A live source: the watch.

    def _watch(self) -> None:
        hanging: list[Take] = []
        stillness = Stillness()
        while not self._closing.is_set():
            hanging = [take for take in hanging if take.thread.is_alive()]
            if len(hanging) >= MOST_HANGING:
                self._closing.wait(LEAST_PAUSE_S)
                continue
            take = self._begin(stillness if self.state == "frozen" else Stillness())
            while take.thread.is_alive() and not self._closing.is_set():
                take.thread.join(LEAST_PAUSE_S)
                if self._now_s() - take.sign_s > take.patience_s:
                    self._end(take, "blocked_read", "its thread does not come back")
                    hanging.append(take)
                    break
            stillness = take.stillness
            self._closing.wait(self._pause_s(take))

    def _begin(self, stillness: Stillness) -> Take:
        """Open the source in a thread of its own."""
        patience_s = self._settings.read_timeout_s
        if self._source.kind == "device":
            patience_s = max(patience_s, DEVICE_WAKES_S)
        take = Take(self._now_s(), patience_s + GRACE_S, stillness)
        with self._condition:
            if not self._closing.is_set():
                self._take = take
                take.thread = threading.Thread(
                    target=self._read, args=(take,), name="camera take", daemon=True
                )
                take.thread.start()
        return take

    def _pause_s(self, take: Take) -> float:
        """How long to wait before opening again.

        The time that a vain opening took is part of its pause, and a frozen source was watched
        all through its pause: so a camera that comes back is found within ``reopen_most_s``.
        """
        if take.reopen_s is not None:
            return LEAST_PAUSE_S
        spent_s = 0.0 if take.shots else self._now_s() - take.began_s
        return max(LEAST_PAUSE_S, self._pauses.take() - spent_s)

    def _end(self, take: Take, fault: str, detail: object) -> None:
        """A take is over. No picture is kept while there is no camera."""
        take.dropped.set()
        with self._condition:
            if take is not self._take:
                return
            self._take, self._frame, self.state = None, None, AFTER[fault]
        if fault not in ("frozen", "corrupt"):  # these were counted when they were seen
            self._faults.count(fault, detail)

    # A live source: one take, in its own thread.

    def _read(self, take: Take) -> None:
        try:
            reader = open_reader(self._source, self._settings, self._clock)
        except TimeoutError as error:
            self._end(take, "blocked_read", error)
        except SourceError as error:
            self._end(take, "gone", f"{error.found}; try: {error.attempt}")
        except Exception as error:  # a driver's surprise must not end the show
            logger.debug("opening %s", self._source, exc_info=True)
            self._end(take, "gone", type(error).__name__)
        else:
            self._read_on(take, reader)

    def _read_on(self, take: Take, reader: Reader) -> None:
        try:
            self.achieved = reader.achieved
            take.good_s = self._now_s()
            take.patience_s = self._settings.read_timeout_s + GRACE_S
            while not take.dropped.is_set():
                take.sign_s = self._now_s()
                self._take_in(take, reader.read())
        except Exception as error:  # the same
            logger.debug("reading %s", self._source, exc_info=True)
            self._end(take, "failed_read", type(error).__name__)
        finally:
            reader.close()

    def _take_in(self, take: Take, shot: Shot) -> None:
        if take.dropped.is_set():  # the read came back too late
            return
        now_s = self._now_s()
        if not shot.fault:
            take.good_s = now_s
            self._look(take, shot.develop(), shot.arrived_s)
        elif shot.fault != "corrupt":
            self._end(take, shot.fault, shot.detail)
        else:
            self._faults.count("corrupt", shot.detail)
            if now_s - take.good_s > self._settings.read_timeout_s:
                self._end(take, "corrupt", "")

    def _look(self, take: Take, picture: Bytes, arrived_s: float) -> None:
        """Give a picture on, unless the source is frozen."""
        if take.stillness.see(picture, take.good_s) >= self._settings.frozen_after_s:
            self._watch_frozen(take)
            return
        take.reopen_s = None
        back = take.shots == 0 and self._delivered > 0
        if self._deliver(picture, arrived_s, -1, take):
            take.shots += 1
            if back:
                self._faults.count("reopened")
            if take.shots == WELL_AGAIN_SHOTS:
                self._pauses.reset()

    def _watch_frozen(self, take: Take) -> None:
        """Keep watching for a new picture, but open the source again now and then."""
        with self._condition:
            if take is not self._take:
                return
            first, self.state, self._frame = self.state != "frozen", "frozen", None
        if first:
            self._faults.count("frozen", f"for {self._settings.frozen_after_s:g} s")
        if take.reopen_s is None:
            take.reopen_s = take.good_s + self._pauses.take()
        elif take.good_s >= take.reopen_s:
            self._end(take, "frozen", "")

    # A film, in its own thread.

    def _play(self) -> None:
        state = "failed"
        try:
            self._show()
            state = "ended"
        except SourceError as error:
            self._faults.count("gone", error.found)
        except Exception as error:  # a damaged film must not end the show
            logger.debug("playing %s", self._source, exc_info=True)
            self._faults.count("failed_read", type(error).__name__)
        with self._condition:
            self.state, self.ended = state, True
            self._condition.notify_all()

    def _show(self) -> None:
        """Show each picture when it is due; leave out those that come too late."""
        start_s = end_s = shown_s = float("-inf")
        with contextlib.closing(film(self._source, self._loop, self._faults)) as shots:
            for shot in shots:
                now_s = self._clock.now_s()
                if shot.number == 0:
                    start_s = now_s
                due_s = start_s + shot.time_s
                end_s = due_s + shot.step_s
                if now_s > end_s and now_s - shown_s < SLOWEST_SHOW_S:
                    continue
                picture = shot.develop()
                if not self._until(due_s):
                    return
                self._deliver(picture, due_s, shot.number, None)
                shown_s = self._clock.now_s()
            self._until(end_s)

    def _until(self, time_s: float) -> bool:
        """Wait for a time on the clock; False if the camera is closed meanwhile."""
        while not self._closing.is_set():
            left_s = time_s - self._clock.now_s()
            if left_s <= 0:
                return True
            self._closing.wait(min(left_s, LOOK_S))
        return False
