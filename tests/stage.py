"""A stage for faults: the real program under its supervisor, on a real display, watched from
outside, with a camera on the network and somebody in front of it.

In: an empty folder. Out: ``Stage``, on which faults are made; nothing is left of it afterwards.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from http_camera import HttpCamera, encode
from rooms import visit
from seen import Onlooker
from supervised import Watched, until
from uncaught import Found, look
from x_display import Display

from mirror.memory.memory import read
from mirror.places import weights_folder

SIZE = (480, 270)
FLAGS = f"--screen window --size {SIZE[0]}x{SIZE[1]} --seed 3"
HERE = Path(__file__).resolve().parent
#: Short times of the camera, so that a fault that heals is seen to heal.
SITE = """
[camera]
read_timeout_s = 1.0
reopen_most_s = 1.0
[watch]
memory_mb = {memory_mb}
patience_s = 5.0
[faces]
weights = "{weights}"
[osc]
on = true
port = {osc}
[status]
on = true
port = {status}
[log]
folder = "{log}"
"""
#: What the show may hold here, and what is leaked: more than the ceiling, less than far over it.
MEMORY_MB = 1600
#: The state lies on a disk of its own, of so many bytes.
DISK = "6m"

#: A library between the program and the system's wall clock: it is set by a file.
WALL_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static long offset(void) {
    long s = 0;
    FILE *f = fopen(getenv("WALL_CLOCK"), "r");
    if (f) { if (fscanf(f, "%ld", &s) != 1) s = 0; fclose(f); }
    return s;
}
int clock_gettime(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    if (id == CLOCK_REALTIME) t->tv_sec += offset();
    return r;
}
"""


class Stage:
    """A supervised show on a display, watched from outside, with a camera on the network."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.display = stack.enter_context(Display(SIZE))
        faces = [encode(picture) for picture in visit(0.0, 4.0, 0.0)]
        self.camera = stack.enter_context(HttpCamera(faces, 15.0))
        self.weights, self.disk = folder / "weights", folder / "disk"
        shutil.copytree(weights_folder(), self.weights)
        self.osc, self.status = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
        site = SITE.format(
            memory_mb=MEMORY_MB, weights=self.weights, osc=self.osc, status=self.status,
            log=folder / "log",
        )  # fmt: skip
        (folder / "small.toml").write_text(site, encoding="utf-8")
        self.words, self.wall = folder / "fault", folder / "wall"
        self.environment = {
            "DISPLAY": self.display.name, "MIRROR_FAULTS": str(self.words),
            "PYTHONPATH": f"{HERE / 'faulty'}:{HERE.parent}",
            **self._wall_clock(),
        }  # fmt: skip
        self.disk.mkdir()
        self.own_disk = mount("-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(self.disk))
        if self.own_disk:
            stack.callback(subprocess.run, ["umount", "-l", str(self.disk)], check=False)
        self._stack, self._said = stack, ""
        self.begin()
        self.seen = stack.enter_context(Onlooker(self.display.number, SIZE))

    def _wall_clock(self) -> dict[str, str]:
        """A wall clock that can be set, where there is a compiler."""
        source, library = self.folder / "wall.c", self.folder / "wall.so"
        source.write_text(WALL_CLOCK, encoding="ascii")
        compiler = shutil.which("cc")
        if compiler is None:
            return {}
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", str(source), "-o", str(library), "-ldl"],
            check=True,
        )
        return {"LD_PRELOAD": str(library), "WALL_CLOCK": str(self.wall)}

    def begin(self) -> None:
        """Start a supervisor, also after another one."""
        self.watched = self._stack.enter_context(
            Watched(
                self.folder, f"{FLAGS} --source {self.camera.url}", self.environment,
                self.disk / "a.river",
            )
        )  # fmt: skip

    @property
    def show(self) -> int:
        """The show's process."""
        assert until(lambda: self.watched.show is not None)
        return self.watched.show or 0

    def inside(self, word: str) -> None:
        """Make a fault inside the show."""
        self.words.write_text(word, encoding="ascii")

    def flowed_s(self) -> float:
        """The river's time, as it was saved last."""
        kept = read(self.watched.state) if self.watched.state.exists() else None
        return kept.time_s if kept else 0.0

    def restarts(self) -> int:
        """How often a supervisor said that a show had ended."""
        return self.said().count("the show ended:")

    def said(self) -> str:
        """What all supervisors and shows have written to stderr so far."""
        logs = sorted(self.folder.glob("watch-*.log"))
        return "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)

    def found(self) -> Found:
        """What nobody caught, in all that was written so far, and in the log on disk."""
        logs = sorted((self.folder / "log").glob("mirror.log*"))
        kept = [log.read_text(encoding="utf-8", errors="replace") for log in logs]
        return look("\n".join([self.said(), *kept]))

    def settle(self, seconds: float = 8.0, ready: bool = True) -> float:
        """Wait until all is well again, and the next show waits in the wings; the usual
        contrast."""
        until(lambda: self.watched.show is not None)
        until(self.watched.feeds, 60)
        if ready:
            until(lambda: self.watched.waits, 60)
        before = time.monotonic()
        time.sleep(seconds)
        return self.seen.contrast(before, time.monotonic())


@contextmanager
def staged() -> Iterator[Stage]:
    """A stage, and nothing left of it afterwards."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stage = Stage(Path(folder), stack)
        assert until(lambda: stage.watched.heard("READY=1"), 60), stage.said()
        yield stage


def free_port(kind: socket.SocketKind) -> int:
    """A port of this computer that nobody holds now."""
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def mount(*words: str) -> bool:
    """Mount something; False where that is not allowed."""
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0
