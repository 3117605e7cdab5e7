"""The fault matrix: every fault made to the real program, under its supervisor, on a real display.

    python tests/fault_matrix.py [--json FILE] [--only WORD] [--table FILE.md]

For each: how it is made, for how long the picture stood still (seen from outside, on the X
server's screen), how long until portraits are back, what was lost of the river, how often the show
was started again. Some seven minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from http_camera import HttpCamera, encode, jpegs
from requests_that_are_bad import hurl
from rooms import visit
from seen import Onlooker
from supervised import Watched, alive, until
from test_osc import harmless
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


@dataclass
class Outcome:
    """What one fault did. Times in seconds; lost_s: of the river's own time."""

    fault: str
    made: str
    still_s: float
    portraits_s: float
    restarts: int
    lost_s: float
    stayed_well: bool


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
            memory_mb=MEMORY_MB, weights=self.weights, osc=self.osc, status=self.status
        )
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
        self._stack = stack
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
        """Start the supervisor."""
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

    def settle(self, seconds: float = 8.0) -> float:
        """Wait until all is well again; the usual contrast."""
        until(lambda: self.watched.show is not None)
        until(self.watched.feeds, 60)
        before = time.monotonic()
        time.sleep(seconds)
        return self.seen.contrast(before, time.monotonic())


def free_port(kind: socket.SocketKind) -> int:
    """A port of this computer that nobody holds now."""
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


Fault = Callable[[Stage], None]
FAULTS: dict[str, tuple[str, Fault, float]] = {}


def fault(name: str, made: str, seconds: float = 12.0) -> Callable[[Fault], Fault]:
    """Put a fault into the matrix; it is watched for so long."""

    def add(make: Fault) -> Fault:
        FAULTS[name] = made, make, seconds
        return make

    return add


def camera(name: str, made: str, mode: str) -> None:
    """A fault of the camera: it does something else for five seconds."""

    def make(stage: Stage) -> None:
        stage.camera.turn(mode)
        time.sleep(5)
        stage.camera.turn("run")

    FAULTS[name] = made, make, 10.0


camera("camera unplugged", "HTTP camera closes its socket for 5 s", "refuse")
camera("camera hangs", "HTTP camera keeps the connection and sends nothing for 5 s", "hang")
camera("camera frozen", "HTTP camera repeats one picture for 5 s", "freeze")
camera("camera sends damaged pictures", "JPEGs cut in half for 5 s", "truncate")


@fault("camera at 2 pictures a second", "HTTP camera slows down for 5 s")
def slow_camera(stage: Stage) -> None:
    stage.camera.rate_hz = 2.0
    time.sleep(5)
    stage.camera.rate_hz = 15.0


@fault("camera changes its size", "320x180, then 320x240 halfway, and back")
def resized(stage: Stage) -> None:
    shots, stage.camera.shots = stage.camera.shots, jpegs()
    time.sleep(4)
    stage.camera.shots = shots


INSIDE = {
    "FaceMesh raises": ("facemesh", "FaceReader.read raises for 3 s", 12.0),
    "FaceMesh hangs": ("facemesh_hangs", "FaceReader.read does not come back for 20 s", 26.0),
    "a model fails": ("model", "one school's paint raises for 6 s", 12.0),
    "painter dies": ("painter", "its thread ends", 10.0),
    "OpenGL error": ("gl", "glEnable of what does not exist", 10.0),
    "OpenGL context lost": ("gl_lost", "the framebuffer is taken away", 10.0),
    "drawing hangs": ("stuck", "the drawing thread sleeps for ever", 16.0),
    "program aborts": ("crash", "os.abort() in the drawing thread", 14.0),
    "memory over the ceiling": (
        "leak",
        "memory is taken until the ceiling is passed; somebody is there",
        20.0,
    ),
}
for name, (word, made, seconds) in INSIDE.items():
    FAULTS[name] = made, (lambda stage, word=word: stage.inside(word)), seconds  # type: ignore[misc]


def killed(name: str, made: str, number: signal.Signals) -> None:
    FAULTS[name] = made, (lambda stage: os.kill(stage.show, number)), 14.0


killed("program killed", "kill -9", signal.SIGKILL)
killed("program stopped", "kill -STOP: a freeze of all its threads", signal.SIGSTOP)
killed("program told to end", "kill -TERM of the show alone", signal.SIGTERM)


@fault("window closed", "WM_DELETE_WINDOW, as a window manager sends it", 8.0)
def closed(stage: Stage) -> None:
    listed = subprocess.run(
        [sys.executable, "-c", WINDOWS, stage.display.name],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for window in listed.stdout.split():
        stage.display.close_window(int(window))


#: The windows on a display, by ctypes, in a process of its own.
WINDOWS = """
import ctypes, sys
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
d = ctypes.c_void_p(x.XOpenDisplay(sys.argv[1].encode()))
x.XDefaultRootWindow.restype = ctypes.c_ulong
root, parent = ctypes.c_ulong(), ctypes.c_ulong()
found, count = ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
x.XQueryTree(d, ctypes.c_ulong(x.XDefaultRootWindow(d)), ctypes.byref(root), ctypes.byref(parent),
             ctypes.byref(found), ctypes.byref(count))
print(*[found[n] for n in range(count.value)])
"""


@fault("supervisor killed", "kill -9, and started again by the service manager 1 s later", 14.0)
def orphaned(stage: Stage) -> None:
    stage.watched.process.kill()
    stage.watched.process.wait(10)
    time.sleep(1)
    stage.begin()


@fault("killed fifty times", "kill -9 as soon as it is back, fifty times", 14.0)
def again_and_again(stage: Stage) -> None:
    for _ in range(50):
        before = stage.show
        os.kill(before, signal.SIGKILL)
        until(lambda before=before: stage.watched.show not in (None, before), 90)  # type: ignore[misc]
        stage.watched.feeds()


@fault("a second instance", "another `mirror watch` with the same state", 6.0)
def twice(stage: Stage) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "mirror", "watch", "--state", str(stage.watched.state)],
        capture_output=True, check=False, cwd=HERE.parent,
    )  # fmt: skip
    assert second.returncode == 2


@fault("disk full", "the disk of the state is filled to its last byte", 10.0)
def full(stage: Stage) -> None:
    if stage.own_disk:
        with contextlib.suppress(OSError), (stage.disk / "filler").open("wb", 0) as filler:
            while True:
                filler.write(bytes(1 << 12))


@fault("killed on a full disk", "the same, and kill -9", 14.0)
def killed_full(stage: Stage) -> None:
    full(stage)
    os.kill(stage.show, signal.SIGKILL)


@fault("disk read-only", "the disk of the state is mounted anew, read-only, for 6 s", 12.0)
def read_only(stage: Stage) -> None:
    if stage.own_disk:
        (stage.disk / "filler").unlink(missing_ok=True)
        mount("-o", "remount,ro", str(stage.disk))
        time.sleep(6)
        mount("-o", "remount,rw", str(stage.disk))


@fault("killed on a read-only disk", "the same, and kill -9", 14.0)
def killed_read_only(stage: Stage) -> None:
    if stage.own_disk:
        mount("-o", "remount,ro", str(stage.disk))
    os.kill(stage.show, signal.SIGKILL)
    time.sleep(8)
    if stage.own_disk:
        mount("-o", "remount,rw", str(stage.disk))


@fault("a model damaged at start", "one byte of a model flipped, and kill -9", 14.0)
def damaged(stage: Stage) -> None:
    path = stage.weights / "stone.safetensors"
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)
    os.kill(stage.show, signal.SIGKILL)


@fault("the model mended", "the byte flipped back, and kill -9", 14.0)
def mended(stage: Stage) -> None:
    shutil.copy(weights_folder() / "stone.safetensors", stage.weights)
    os.kill(stage.show, signal.SIGKILL)


@fault("clock a year ahead", "the wall clock of the running program jumps", 10.0)
def ahead(stage: Stage) -> None:
    stage.wall.write_text(str(366 * 86400), encoding="ascii")


@fault("clock two years back", "the same", 10.0)
def back(stage: Stage) -> None:
    stage.wall.write_text(str(-366 * 86400), encoding="ascii")


FAULTS["time zone and locale changed"] = (
    "TZ=XYZ-9 and LC_ALL=C in the running program",
    lambda stage: stage.inside("elsewhere"),
    8.0,
)


@fault("told to end at any moment", "twelve shows, kill -TERM after 0 to 5 s drawn by lot", 5.0)
def at_any_moment(stage: Stage) -> None:
    lot = random.Random(5)
    for _ in range(12):
        with tempfile.TemporaryDirectory() as folder:
            running = subprocess.Popen(
                [sys.executable, "-m", "mirror", "run", *FLAGS.split(), "--source",
                 stage.camera.url, "--report", f"{folder}/a.json", "--state", f"{folder}/a.river"],
                cwd=HERE.parent, env={**os.environ, "DISPLAY": stage.display.name},
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            time.sleep(lot.uniform(0.0, 5.0))
            running.terminate()
            _, complaint = running.communicate(timeout=30)
            left = {path.name for path in Path(folder).iterdir()}
            assert running.returncode in (0, -signal.SIGTERM), (running.returncode, complaint)
            assert "Traceback" not in complaint, complaint
            assert left <= {"a.json", "a.river", "a.river.lock"}, left


@fault("ports taken", "kill -9, and both ports held by another program at the restart", 14.0)
def taken(stage: Stage) -> None:
    os.kill(stage.show, signal.SIGKILL)
    with ExitStack() as held:
        for port, kind in ((stage.osc, socket.SOCK_DGRAM), (stage.status, socket.SOCK_STREAM)):
            other = held.enter_context(socket.socket(socket.AF_INET, kind))
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            assert until(lambda other=other, port=port: bound(other, port))  # type: ignore[misc]
            if kind == socket.SOCK_STREAM:
                other.listen()
        time.sleep(12.0)


def bound(other: socket.socket, port: int) -> bool:
    """Take a port, once whoever held it is gone."""
    try:
        other.bind(("127.0.0.1", port))
    except OSError:
        time.sleep(0.01)
        return False
    return True


@fault("100,000 OSC packets", "random and mutated ones, none a valid command, at full speed", 14.0)
def hail(stage: Stage) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hostile:
        for packet in harmless():
            hostile.sendto(packet, ("127.0.0.1", stage.osc))


@fault("10,000 malformed HTTP requests", "to the status page, one connection each", 20.0)
def bombarded(stage: Stage) -> None:
    hurl(stage.status, 10_000)


def mount(*words: str) -> bool:
    """Mount something; False where that is not allowed."""
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


def outcome(name: str, stage: Stage) -> Outcome:
    """Make one fault and watch."""
    made, make, seconds = FAULTS[name]
    usual = stage.settle()
    before, log_before = stage.show, restarts(stage)
    flowed_s, since_s = stage.flowed_s(), time.monotonic()
    make(stage)
    time.sleep(max(0.0, since_s + seconds - time.monotonic()))
    until_s = time.monotonic()
    well = stage.watched.feeds()
    lost_s = (until_s - since_s) - (stage.flowed_s() - flowed_s)
    return Outcome(
        name, made, round(stage.seen.stood_still_s(since_s), 2),
        round(stage.seen.portraits_back_s(since_s, usual), 2),
        max(restarts(stage) - log_before, int(stage.show != before)), round(max(0.0, lost_s), 1),
        well and alive(stage.show),
    )  # fmt: skip


def restarts(stage: Stage) -> int:
    """How often the supervisor said that a show had ended."""
    return stage.watched.said().count("the show ended:")


@contextmanager
def staged() -> Iterator[Stage]:
    """A stage, and nothing left of it afterwards."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stage = Stage(Path(folder), stack)
        assert until(lambda: stage.watched.heard("READY=1"), 60), stage.watched.said()
        yield stage


#: Many faults in a row, or other windows on the same display: only the worst standstill counts.
MANY = ("killed fifty times", "told to end at any moment")


def table(outcomes: list[Outcome]) -> str:
    """As Markdown."""
    lines = ["| fault | how it is made | picture stood still | portraits back after | restarts "
             "| river's time lost |", "|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for each in outcomes:
        back, lost = f"{each.portraits_s:.1f} s", f"{each.lost_s:.1f} s"
        if each.fault in MANY:
            back = lost = "-"
        well = "" if each.stayed_well else ", **not well**"
        lines.append(
            f"| {each.fault} | {each.made} | {each.still_s:.1f} s | {back} | {each.restarts}{well} "
            f"| {lost} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--only", default="", help="a regular expression")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # nothing is left behind
    outcomes = []
    with staged() as stage:
        for name in FAULTS:
            if not re.search(asked.only, name):
                continue
            outcomes.append(outcome(name, stage))
            print(outcomes[-1], flush=True)
        if "Traceback" in stage.watched.said():
            print(stage.watched.said(), file=sys.stderr)
    print(table(outcomes))
    if asked.table:
        asked.table.write_text(table(outcomes), encoding="utf-8")
    if asked.json:
        told = [asdict(each) for each in outcomes]
        asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
