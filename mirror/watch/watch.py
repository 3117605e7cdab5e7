"""The supervisor: starts the show, listens to its presented pictures, and starts it again.

In: a command line of ``mirror run``. Out: a show that goes on. It escalates: the show itself
reopens its camera and rebuilds its stages; what does not heal so is started again here, after
pauses that grow while it does not help; and when no picture comes for too long, the service
manager is no longer told that all is well, and starts everything again. It never gives up.

One thread, no OpenGL, no camera, no models: there is little that could go wrong.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import select
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from mirror.clock import Clock, MonotonicClock
from mirror.pauses import Pauses
from mirror.settings import WatchSettings
from mirror.status.vitals import RESTARTS
from mirror.watch.alone import alone
from mirror.watch.heartbeat import Ear
from mirror.watch.interrupts import stop_on_signal
from mirror.watch.judge import Judge, Verdict
from mirror.watch.orphan import END_S, SOON_S, orphaned
from mirror.watch.service import Service
from mirror.watch.wings import Process, Wings

log = logging.getLogger(__name__)

#: How often the supervisor looks up, and how long it may have slept before that is forgiven.
LOOK_S, SLEPT_S = 0.1, 0.5
#: The next show gets ready when this one has shown pictures for so long; how long that may take
#: while the show of a supervisor that was killed goes on.
SETTLED_S, PREPARE_S = 5.0, 20.0
#: A show that is silent for so long may have been stopped: then it is told to go on.
STOPPED_S = 0.5
#: A show that is ill may take so long to end; one that froze is only asked what it was doing.
HURRIED_S, LAST_WORDS_S = 1.0, 0.3
#: A show that says that it ends may take so long over it.
LEAVING_S = 30.0
#: Pauses before starts: the first is a blink, and a run of this length was a good one.
FIRST_PAUSE_S, LONGEST_PAUSE_S, GOOD_RUN_S = 0.1, 30.0, 30.0
#: After runs that did present pictures, however short: some picture is better than none.
LONGEST_BLINK_S = 0.5
#: Why a show may end so that it is not started again.
MEANT = ("key", "time")


def watch(arguments: Sequence[str], state: Path, settings: WatchSettings) -> int:
    """Keep ``mirror run`` with these arguments running until told to end; the exit status.

    state: the file in which the river is saved; it is also what only one supervisor may hold.
    Raises SettingsError when another one does.
    """
    with contextlib.suppress(OSError):  # a disk that cannot be written is told by the show
        state.parent.mkdir(parents=True, exist_ok=True)
    # A core of a show that was aborted would hold the camera's last picture.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    flags, clock = [*arguments, "--state", str(state)], MonotonicClock()
    with alone(state, ".watch"), Wings(flags, environment(), clock, settings.standby) as wings:
        orphan = orphaned(state, clock)
        supervisor = Supervisor(wings, settings, Service(), clock)
        with stop_on_signal(supervisor.stop):
            if hasattr(signal, "SIGHUP"):
                signal.signal(signal.SIGHUP, lambda number, frame: supervisor.reload())
            if orphan is not None:  # it goes on until the next one can follow at once
                supervisor.prepare(orphan.flows)
                orphan.end()
            return supervisor.run()


def environment() -> dict[str, str]:
    """Of every show, and of whoever waits in the wings."""
    more = {
        "PYTHONFAULTHANDLER": "1",  # a show that is aborted says where it stood
        # On a full disk Python leaves half of a compiled module, and never starts again.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    own = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")  # the supervisor's
    return {**{name: value for name, value in os.environ.items() if name not in own}, **more}


class Supervisor:
    """Keeps one show running."""

    def __init__(
        self, wings: Wings, settings: WatchSettings, service: Service, clock: Clock
    ) -> None:
        self._wings, self._settings, self._service, self._clock = wings, settings, service, clock
        self._judge = Judge(settings)
        self._pauses = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._blinks = Pauses(FIRST_PAUSE_S, LONGEST_BLINK_S)
        self._stopping = self._reloading = False
        self._fed_s = self._began_s = self._told_s = 0.0
        self._renewed_s = -1.0
        self._ended_by = ""
        self._status = 0
        self.starts = 0
        self.faults: Counter[str] = Counter()

    def stop(self) -> None:
        """End the show and then the supervisor; a signal handler may ask."""
        self._stopping = True

    def reload(self) -> None:
        """Start the show anew at the next empty room; a signal handler may ask."""
        self._reloading = True

    def prepare(self, wanted: Callable[[], bool]) -> None:
        """Get a show ready for as long as that is wanted and not too long."""
        end_s = self._clock.now_s() + PREPARE_S
        while not (self._stopping or self._wings.ready or self._clock.now_s() > end_s):
            if not wanted():
                return
            self._wings.tend()
            self._clock.sleep_s(LOOK_S)

    def run(self) -> int:
        """Until told to end."""
        while not self._stopping:
            fault = self._one_run()
            if self._stopping or self._ended_by in MEANT:
                break
            self._note(fault)
            self._wait(self._pause_s())
        self._service.stopping()
        return self._status if self._ended_by in MEANT else 0

    def _one_run(self) -> str:
        """One show, from its start to its end; what was wrong with it."""
        reading, writing = os.pipe()
        told = {RESTARTS: str(self.starts)}
        self.starts, self._ended_by, ear = self.starts + 1, "", Ear(reading)
        self._began_s = self._clock.now_s()
        self._judge.begin(self._began_s)
        try:
            show = self._wings.start(writing, told)
        except OSError as error:  # no memory, no process: again after a pause
            log.error("the show cannot be started: %s", error)
            ear.close()
            return "no process"
        finally:
            os.close(writing)
        try:
            return self._attend(show, ear)
        finally:
            ear.close()

    def _attend(self, show: Process, ear: Ear) -> str:
        """Listen to a show and judge it until it has ended."""
        looked_s = self._clock.now_s()
        while True:
            select.select([] if ear.closed else [ear.descriptor], [], [], LOOK_S)
            now_s = self._clock.now_s()
            if now_s - looked_s > SLEPT_S:
                self._judge.forgive(now_s - looked_s - LOOK_S)
            looked_s = now_s
            self._listen(ear, now_s)
            if ear.closed:  # it ends, or closed its line; without it nothing is known of it
                self._clock.sleep_s(SOON_S)
            if (status := show.poll()) is not None:
                self._listen(ear, now_s)
                self._status = max(status, 0)
                return self._ended_by or (f"signal {-status}" if status < 0 else f"exit {status}")
            if self._stopping:
                self._end(show, signal.SIGTERM, END_S)
                return "stopped"
            self._reload(now_s)
            if self._ended_by:  # it puts away what it has: a film may take its time
                if now_s - self._told_s > LEAVING_S:
                    self._end(show, signal.SIGABRT, LAST_WORDS_S)
            elif verdict := self._judge.verdict(now_s):
                self._act(show, verdict)
                return verdict.fault
            self._wake(show, now_s)
            self._feed(now_s)
            if self._judge.alive and now_s - self._began_s > SETTLED_S:
                self._wings.tend()

    def _listen(self, ear: Ear, now_s: float) -> None:
        for told in ear.hear():
            if "ended" in told:
                self._ended_by, self._told_s = str(told["ended"]), now_s
            else:
                first = not self._judge.alive
                self._judge.hear(told, now_s)
                if first and self._judge.alive:
                    self._service.ready()

    def _reload(self, now_s: float) -> None:
        """Perhaps the program on the disk is another one now: whoever waits in the wings is
        renewed first, and then the show."""
        if self._reloading:
            self._reloading, self._renewed_s = False, now_s
            self._wings.renew()
        late = now_s - self._renewed_s > PREPARE_S
        if self._renewed_s >= 0 and (self._wings.settled or late):
            self._renewed_s = -1.0
            self._judge.ask("asked for", now_s)

    def _wake(self, show: Process, now_s: float) -> None:
        """A show that somebody has stopped, as Ctrl-Z does, is told to go on."""
        if self._judge.silence_s(now_s) > STOPPED_S and stopped(show.pid):
            self.faults["stopped"] += 1
            level = logging.WARNING if self.faults["stopped"] == 1 else logging.INFO
            log.log(level, "the show was stopped: it goes on")
            show.send_signal(signal.SIGCONT)

    def _act(self, show: Process, verdict: Verdict) -> None:
        """End a show that is ill: one that stands still is asked where, then killed."""
        level = logging.INFO if self.faults[verdict.fault] else logging.ERROR
        log.log(level, "the show is started again: %s", verdict.fault)
        if verdict.fault in ("freeze", "did not start"):
            self._end(show, signal.SIGABRT, LAST_WORDS_S)
        else:
            self._end(show, signal.SIGTERM, HURRIED_S if verdict.urgent else END_S)

    def _end(self, show: Process, number: int, wait_s: float) -> None:
        show.send_signal(number)
        show.send_signal(signal.SIGCONT)  # one that was stopped hears nothing else
        try:
            self._status = max(show.wait(wait_s), 0)
        except subprocess.TimeoutExpired:
            show.kill()
            show.wait()

    def _note(self, fault: str) -> None:
        """Count a fault; only the first of its kind is a warning."""
        self.faults[fault] += 1
        level = logging.WARNING if self.faults[fault] == 1 else logging.INFO
        log.log(level, "the show ended: %s (%d times)", fault, self.faults[fault])
        self._service.status(f"restarting: {fault}; restarts so far: {self.starts}")

    def _pause_s(self) -> float:
        """A blink after a good run; longer and longer after runs that were none."""
        if not self._judge.alive:
            return self._pauses.take()
        self._pauses.reset()
        if self._clock.now_s() - self._began_s > GOOD_RUN_S:
            self._blinks.reset()
        return self._blinks.take()

    def _wait(self, seconds: float) -> None:
        end_s = self._clock.now_s() + seconds
        while not self._stopping and self._clock.now_s() < end_s:
            self._clock.sleep_s(min(LOOK_S, seconds))

    def _feed(self, now_s: float) -> None:
        """Tell the service manager that pictures come; only pictures feed its watchdog."""
        if self._service.watchdog_s <= 0 and not self._service.there:
            return
        if self._judge.alive and self._judge.silence_s(now_s) < self._settings.freeze_s:
            if now_s - self._fed_s >= max(self._service.watchdog_s / 4, 1.0):
                self._fed_s = now_s
                self._service.alive()
            self._service.status(f"showing; restarts so far: {self.starts - 1}")


def stopped(process: int) -> bool:
    """Whether a process was stopped by a signal, all its threads."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[:1] == ["T"]
