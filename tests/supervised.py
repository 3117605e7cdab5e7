"""A supervised show for tests: the real supervisor, a real show, and a service manager's ear.

In: flags of ``mirror watch``. Out: what the supervisor tells a service manager, the process of
the show, and ways to wait for either.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from mirror.watch.standby import WAITS

ROOT = Path(__file__).resolve().parent.parent
#: A small show: everything is there, and nothing takes long.
SMALL = "--screen offscreen --size 96x54 --piece passersby"


def until(fact: Callable[[], object], limit_s: float = 45.0) -> bool:
    """Wait for a fact; whether it came about."""
    end_s = time.monotonic() + limit_s
    while not (there := bool(fact())) and time.monotonic() < end_s:
        time.sleep(0.02)
    return there


class Watched:
    """``mirror watch`` in a process of its own. A context manager; nothing is left behind."""

    def __init__(
        self, folder: Path, flags: str = SMALL, environment: Mapping[str, str] | None = None,
        state: Path | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.state = folder, state or folder / "a.river"
        self.site, self.log = folder / "small.toml", folder / f"watch-{time.monotonic_ns()}.log"
        if not self.site.exists():
            self.site.write_text("[river]\nparcels = 12\n", encoding="utf-8")
        self.told: list[str] = []
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = str(folder / f"{len(list(folder.glob('*.notify')))}.notify")
        self._ear.bind(address)
        self._ear.setblocking(False)
        self.shows: list[int] = []
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mirror", "--verbose", "watch", "--site", str(self.site),
                 "--state", str(self.state), *flags.split()],
                cwd=folder, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": address,
                     "WATCHDOG_USEC": "4000000", "OMP_NUM_THREADS": "1", **(environment or {})},
            )  # fmt: skip

    @property
    def show(self) -> int | None:
        """The process id of the show that runs now."""
        ids = [id for id, name in self.children().items() if name != WAITS]
        self.shows += [id for id in ids if id not in self.shows]
        return ids[0] if ids else None

    @property
    def standby(self) -> int | None:
        """The process that waits in the wings."""
        ids = [id for id, name in self.children().items() if name == WAITS]
        return ids[0] if ids else None

    def children(self) -> dict[int, str]:
        """The supervisor's processes, and the name that each gives itself."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            return {int(id): name_of(int(id)) for id in path.read_text(encoding="ascii").split()}
        except OSError:
            return {}

    @property
    def waits(self) -> bool:
        """Whether the next show waits in the wings."""
        return self.said().count("the next show waits") > self.said().count("whoever waits")

    def heard(self, word: str) -> int:
        """How often the service manager has been told this."""
        while True:
            try:
                self.told += self._ear.recv(4096).decode().splitlines()
            except BlockingIOError:
                return sum(word in line for line in self.told)

    def shows_again(self, before: int) -> bool:
        """Wait for another show than the one before, and for its pictures."""
        if not until(lambda: self.show not in (None, before)):
            return False
        return self.feeds()

    def feeds(self) -> bool:
        """Wait until presented pictures have fed the watchdog once more."""
        count = self.heard("WATCHDOG=1")
        return until(lambda: self.heard("WATCHDOG=1") > count)

    def said(self) -> str:
        """What supervisor and show have written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self) -> int:
        """Ask the supervisor to end; its exit status."""
        if self.process.poll() is None:
            self.heard("")  # the system keeps ten datagrams, and drops what comes after them
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def __enter__(self) -> Watched:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        show = self.show
        try:
            self.end()
        finally:
            self._ear.close()
            for left in {show, *self.shows} - {None}:
                if left is not None and alive(left):
                    os.kill(left, signal.SIGKILL)


def name_of(process: int) -> str:
    """A process's own name for itself; '' when it has gone."""
    try:
        return Path(f"/proc/{process}/comm").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def alive(process: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except OSError:
        return False
