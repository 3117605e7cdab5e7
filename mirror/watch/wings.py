"""Where shows come from: the supervisor's side of ``standby``.

In: flags of ``mirror run`` and a pipe to be told on. Out: a show, forked in no time from the
process that waits in the wings, or started as any program is where there is none. The supervisor's
thread; nothing here waits for longer than ``ANSWER_S``.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import math
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from mirror.clock import Clock
from mirror.closeable import Closeable
from mirror.pauses import Pauses
from mirror.watch.heartbeat import PULSE

log = logging.getLogger(__name__)

#: What whoever waits in the wings says, and what it is told: less than so many bytes.
READY, MOST_BYTES = b"ready", 4096
#: Linux: orphans below this process become its children (prctl(2)).
PR_SET_CHILD_SUBREAPER = 36
#: A fork takes a few milliseconds; a process that does not answer for so long is given up.
ANSWER_S = 1.0
#: Pauses before another one gets ready after one has died.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 3600.0
#: How often a show is looked at that should end, seconds.
LOOK_S = 0.02


class Process(Protocol):
    """What the supervisor does with a show: as ``subprocess.Popen``."""

    @property
    def pid(self) -> int: ...  # noqa: D102 - Popen's own

    def poll(self) -> int | None: ...  # noqa: D102

    def wait(self, timeout: float | None = None) -> int: ...  # noqa: D102

    def send_signal(self, number: int) -> None: ...  # noqa: D102

    def kill(self) -> None: ...  # noqa: D102


class Forked:
    """A show that was forked in the wings: a child of this process all the same."""

    def __init__(self, pid: int, clock: Clock) -> None:
        """Raises ChildProcessError when it is no child of this process."""
        self.pid, self._clock = pid, clock
        self._status: int | None = None
        self._look()

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        if self._status is None:
            self._look()
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; raises subprocess.TimeoutExpired."""
        end_s = self._clock.now_s() + (math.inf if timeout is None else timeout)
        while (status := self.poll()) is None:
            if self._clock.now_s() >= end_s:
                raise subprocess.TimeoutExpired("mirror run", timeout or 0.0)
            self._clock.sleep_s(LOOK_S)
        return status

    def send_signal(self, number: int) -> None:
        """Nothing is sent to one that has ended: its number may be another's."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it now."""
        self.send_signal(signal.SIGKILL)

    def _look(self) -> None:
        done, status = os.waitpid(self.pid, os.WNOHANG)
        if done:
            self._status = os.waitstatus_to_exitcode(status)


class Wings(Closeable):
    """Starts shows. Close it; a context manager. ready: whether one waits in the wings."""

    def __init__(
        self, flags: Sequence[str], environment: Mapping[str, str], clock: Clock, standby: bool
    ) -> None:
        """flags: of ``mirror run``. environment: of every show. standby: False starts each as any
        program is."""
        self._flags, self._environment, self._clock = list(flags), dict(environment), clock
        self._wanted = standby and adopt_orphans()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._pauses, self._again_s = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S), 0.0
        self.ready = False

    def start(self, pulse: int, more: Mapping[str, str]) -> Process:
        """A show. pulse: the descriptor that it tells on. more: of its environment.

        Raises OSError when there is no memory for it.
        """
        show = self._call(pulse, more) if self.ready else None
        if show is not None:
            return show
        return subprocess.Popen(
            [sys.executable, "-m", "mirror", "run", *self._flags],
            env={**self._environment, **more, PULSE: str(pulse)}, pass_fds=[pulse],
            start_new_session=True,
        )  # fmt: skip

    def tend(self) -> None:
        """Let a process get ready, if there is none; a call now and then is enough."""
        now_s = self._clock.now_s()
        if self._process is None:
            if self._wanted and now_s >= self._again_s:
                self._begin()
        elif self._process.poll() is not None:
            self._give_up(f"has ended ({self._process.returncode})")
        elif not self.ready and self._line is not None:
            self._listen(self._line)

    def _listen(self, line: socket.socket) -> None:
        line.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self.ready = line.recv(MOST_BYTES) == READY
        if self.ready:
            log.info("the next show waits in the wings")

    @property
    def settled(self) -> bool:
        """Whether somebody waits, or nobody is to."""
        return self.ready or not self._wanted

    def renew(self) -> None:
        """Another one gets ready, with the program as it is on the disk now."""
        self._end()
        self._again_s = 0.0

    def close(self) -> None:
        """Send whoever waits home."""
        self._wanted = False
        self._end()

    def _begin(self) -> None:
        self._again_s = self._clock.now_s() + self._pauses.take()
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mirror.watch.standby", str(its.fileno()), *self._flags],
                env={**self._environment, PULSE: "standby"}, pass_fds=[its.fileno()],
                start_new_session=True,
            )  # fmt: skip
            self._line = mine
        except OSError as error:
            log.warning("nobody waits in the wings: %s", error)
            mine.close()
        finally:
            its.close()

    def _call(self, pulse: int, more: Mapping[str, str]) -> Forked | None:
        """Fork a show; None when whoever waits does not answer."""
        assert self._line is not None
        try:
            self._line.settimeout(ANSWER_S)
            socket.send_fds(self._line, [json.dumps(dict(more)).encode()], [pulse])
            pid = int(self._line.recv(MOST_BYTES))
            if pid:
                return Forked(pid, self._clock)
            self._give_up("cannot fork")
        except (OSError, ValueError) as error:
            self._give_up(f"does not answer ({error})")
        return None

    def _give_up(self, why: str) -> None:
        log.warning("whoever waits in the wings %s", why)
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        line, self._line = self._line, None
        self.ready = False
        if line is not None:
            line.close()
        if process is not None:
            process.kill()
            process.wait()


def adopt_orphans() -> bool:
    """Become the parent of whatever is forked below this process and loses its own; False where
    that cannot be had."""
    try:
        return int(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) == 0
    except (AttributeError, OSError):
        return False
