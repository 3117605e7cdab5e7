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
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mirror.clock import Clock, MonotonicClock
from mirror.errors import SettingsError
from mirror.pauses import Pauses
from mirror.settings import WatchSettings
from mirror.status.vitals import RESTARTS
from mirror.watch.alone import alone, holder
from mirror.watch.heartbeat import PULSE, Ear
from mirror.watch.interrupts import stop_on_signal
from mirror.watch.judge import Judge, Verdict
from mirror.watch.service import Service

log = logging.getLogger(__name__)

#: How often the supervisor looks up, and how long it may have slept before that is forgiven.
LOOK_S, SLEPT_S = 0.1, 0.5
#: A show that was asked to end may take so long, less if it is ill; one that froze is only asked
#: what it was doing.
END_S, HURRIED_S, LAST_WORDS_S = 4.0, 1.0, 0.3
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
    with alone(state, ".watch"):
        take_over(state)
        supervisor = Supervisor([*arguments, "--state", str(state)], settings, Service())
        with stop_on_signal(supervisor.stop):
            if hasattr(signal, "SIGHUP"):
                signal.signal(signal.SIGHUP, lambda number, frame: supervisor.reload())
            return supervisor.run()


def take_over(state: Path) -> None:
    """End a show whose supervisor was killed; raises SettingsError for one that never had any."""
    process = holder(state)
    if process is None:
        return
    try:
        orphan = f"{PULSE}=".encode() in Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        orphan = False
    if not orphan:
        raise SettingsError(
            str(state), f"a show without a supervisor holds it (process {process})",
            "one at a time", "end the other one first",
        )  # fmt: skip
    log.warning("the show of a supervisor that has gone is ended (process %d)", process)
    clock = MonotonicClock()
    for number, wait_s in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
        end_s = clock.now_s() + wait_s
        while clock.now_s() < end_s:
            if holder(state) is None:
                return
            clock.sleep_s(LOOK_S)


class Supervisor:
    """Keeps one show running."""

    def __init__(
        self,
        arguments: Sequence[str],
        settings: WatchSettings,
        service: Service,
        clock: Clock | None = None,
    ) -> None:
        self._command = [sys.executable, "-m", "mirror", "run", *arguments]
        self._settings, self._service = settings, service
        self._clock = clock or MonotonicClock()
        self._judge = Judge(settings)
        self._pauses = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._blinks = Pauses(FIRST_PAUSE_S, LONGEST_BLINK_S)
        self._stopping = self._reloading = False
        self._fed_s = self._began_s = self._told_s = 0.0
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
        environment = {
            **os.environ,
            PULSE: str(writing),
            RESTARTS: str(self.starts),
            "PYTHONFAULTHANDLER": "1",  # a show that is aborted says where it stood
            # On a full disk Python leaves half of a compiled module, and never starts again.
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):  # the supervisor's own
            environment.pop(name, None)
        self.starts, self._ended_by, ear = self.starts + 1, "", Ear(reading)
        self._began_s = self._clock.now_s()
        self._judge.begin(self._began_s)
        try:
            show = subprocess.Popen(
                self._command, env=environment, pass_fds=[writing], start_new_session=True
            )
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

    def _attend(self, show: subprocess.Popen[bytes], ear: Ear) -> str:
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
                self._clock.sleep_s(LOOK_S / 4)
            if (status := show.poll()) is not None:
                self._listen(ear, now_s)
                self._status = max(status, 0)
                return self._ended_by or (f"signal {-status}" if status < 0 else f"exit {status}")
            if self._stopping:
                self._end(show, signal.SIGTERM, END_S)
                return "stopped"
            if self._reloading:
                self._reloading = False
                self._judge.ask("asked for", now_s)
            if self._ended_by:  # it puts away what it has: a film may take its time
                if now_s - self._told_s > LEAVING_S:
                    self._end(show, signal.SIGABRT, LAST_WORDS_S)
            elif verdict := self._judge.verdict(now_s):
                self._act(show, verdict)
                return verdict.fault
            self._feed(now_s)

    def _listen(self, ear: Ear, now_s: float) -> None:
        for told in ear.hear():
            if "ended" in told:
                self._ended_by, self._told_s = str(told["ended"]), now_s
            else:
                first = not self._judge.alive
                self._judge.hear(told, now_s)
                if first and self._judge.alive:
                    self._service.ready()

    def _act(self, show: subprocess.Popen[bytes], verdict: Verdict) -> None:
        """End a show that is ill: one that stands still is asked where, then killed."""
        level = logging.INFO if self.faults[verdict.fault] else logging.ERROR
        log.log(level, "the show is started again: %s", verdict.fault)
        if verdict.fault in ("freeze", "did not start"):
            self._end(show, signal.SIGABRT, LAST_WORDS_S)
        else:
            self._end(show, signal.SIGTERM, HURRIED_S if verdict.urgent else END_S)

    def _end(self, show: subprocess.Popen[bytes], number: int, wait_s: float) -> None:
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
