"""The show of a supervisor that was killed: its heir lets it go on until another one can follow.

In: the state file, which the show holds and saves about once a second. Out: an ``Orphan``, if there
is one. Nothing is heard of it any more; whether it is well is seen from what it saves.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from pathlib import Path

from mirror.clock import Clock
from mirror.errors import SettingsError
from mirror.watch.alone import holder
from mirror.watch.heartbeat import PULSE

log = logging.getLogger(__name__)

#: A show that was asked to end may take so long.
END_S = 4.0
#: How often somebody looks for an end that is near.
SOON_S = 0.02
#: One that saves nothing for so long is ill.
SAVES_S = 3.0


class Orphan:
    """A show without its supervisor. process: its id."""

    def __init__(self, state: Path, process: int, clock: Clock) -> None:
        self._state, self.process, self._clock = state, process, clock
        self._saved_ns, self._saved_s = 0, clock.now_s()

    def flows(self) -> bool:
        """Whether it is there, and its river flows on; ask now and then."""
        now_s = self._clock.now_s()
        with contextlib.suppress(OSError):
            saved_ns = self._state.stat().st_mtime_ns
            if saved_ns != self._saved_ns:
                self._saved_ns, self._saved_s = saved_ns, now_s
        return now_s - self._saved_s < SAVES_S and holder(self._state) == self.process

    def end(self) -> None:
        """End it, one way or the other."""
        log.warning("the show of a supervisor that has gone is ended (process %d)", self.process)
        for number, wait_s in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, number)
                os.kill(self.process, signal.SIGCONT)
            end_s = self._clock.now_s() + wait_s
            while self._clock.now_s() < end_s:
                if holder(self._state) is None:
                    return
                self._clock.sleep_s(SOON_S)


def orphaned(state: Path, clock: Clock) -> Orphan | None:
    """The show that a supervisor has left; raises SettingsError for one that never had any."""
    process = holder(state)
    if process is None:
        return None
    try:
        orphan = f"{PULSE}=".encode() in Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        orphan = False
    if not orphan:
        raise SettingsError(
            str(state), f"a show without a supervisor holds it (process {process})",
            "one at a time", "end the other one first",
        )  # fmt: skip
    return Orphan(state, process, clock)
