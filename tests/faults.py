"""Every fault that we can make, by name: how it is made, and for how long it is watched.

In: a stage. Out: trouble. ``FAULTS`` has the order of the matrix; some follow from the one before.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from http_camera import jpegs
from requests_that_are_bad import hurl
from stage import FLAGS, HERE, Stage, mount
from supervised import until
from test_osc import harmless
from uncaught import look

from mirror.places import weights_folder

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


#: Faults inside the show: a word for ``faulty/sitecustomize.py``, how it is made, how long.
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


@fault("monitor gone", "RANDR switches its output off for 4 s", 10.0)
def unplugged(stage: Stage) -> None:
    stage.display.unplug()
    time.sleep(4)
    stage.display.plug_in()


@fault("supervisor killed", "kill -9, and started again by the service manager 1 s later", 14.0)
def orphaned(stage: Stage) -> None:
    stage.watched.process.kill()
    stage.watched.process.wait(10)
    time.sleep(1)
    stage.begin()


@fault("killed with nobody in the wings", "kill -9 of whoever waits there and of the show", 20.0)
def killed_alone(stage: Stage) -> None:
    os.kill(stage.watched.standby, signal.SIGKILL)
    os.kill(stage.show, signal.SIGKILL)


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


@fault("a model damaged at run time", "one byte of a model's file flipped", 8.0)
def damaged_beside(stage: Stage) -> None:
    flip(stage)


@fault("a model damaged at start", "one byte of a model flipped, and kill -9", 14.0)
def damaged(stage: Stage) -> None:
    flip(stage)
    os.kill(stage.show, signal.SIGKILL)


def flip(stage: Stage) -> None:
    """Damage a model by one bit."""
    stored = bytearray((weights_folder() / "stone.safetensors").read_bytes())
    stored[len(stored) // 2] ^= 1
    (stage.weights / "stone.safetensors").write_bytes(stored)


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


@fault("told to end at any moment", "twelve shows and six supervisors, kill -TERM after 0 to 5 s")
def at_any_moment(stage: Stage) -> None:
    lot = random.Random(5)
    for number in range(18):
        with tempfile.TemporaryDirectory() as folder:
            tell_to_end(stage, Path(folder), "watch" if number % 3 == 2 else "run", lot)


def tell_to_end(stage: Stage, folder: Path, command: str, lot: random.Random) -> None:
    """Start a program, and end it at a moment drawn by lot; it leaves nothing but what it was
    asked for."""
    asked = ["--state", f"{folder}/a.river", "--source", stage.camera.url, *FLAGS.split()]
    if command == "run":
        asked += ["--report", f"{folder}/a.json"]
    running = subprocess.Popen(
        [sys.executable, "-m", "mirror", command, *asked],
        cwd=HERE.parent, env={**os.environ, "DISPLAY": stage.display.name},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(lot.uniform(0.0, 5.0))
    running.terminate()
    _, complaint = running.communicate(timeout=30)  # until the last process has closed stderr
    left = {path.name for path in folder.iterdir()}
    assert running.returncode in (0, -signal.SIGTERM), (running.returncode, complaint)
    assert not look(complaint).uncaught, complaint
    assert left <= {"a.json", "a.river", "a.river.lock", "a.river.watch"}, left


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
