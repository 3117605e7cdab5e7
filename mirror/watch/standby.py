"""The process in the wings: it has imported all that a show needs, holds nothing, and waits.

Importing torch, MediaPipe and the rest takes seconds of a processor; a fork of a process that has
done it takes none. So the supervisor keeps one: it opens no camera, no OpenGL, no port and no file
of the river. Told to, it forks the show, which becomes the supervisor's own child; the same one
does so again and again. Its memory is shared with the shows until they write to it, and should
the computer have too little, it is the first that the system kills.

``python -m mirror.watch.standby DESCRIPTOR FLAGS``: a socket of the supervisor's, and flags of
``mirror run``. One thread when it forks; the one that imports gives way to the show meanwhile.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mirror.clock import MonotonicClock
from mirror.errors import MirrorError
from mirror.watch.heartbeat import PULSE
from mirror.watch.wings import MOST_BYTES, READY

#: What a show imports only when it needs it, and what only if its site asks for it.
LATER = ("mirror.show.run", "mirror.faces")
DOORS = {"osc": ("mirror.control.osc",), "status": ("mirror.status.server", "mirror.status.tally")}
#: How far the importing thread gives way to the show, as its painter does.
NICE = 10
#: A thread that has ended is gone from the system's list a moment later.
ENDING_S = 1.0
#: Names of the two processes, as `ps -o comm` tells them; at most 15 letters.
WAITS, PLAYS = "mirror-standby", "mirror-show"
#: The first to be killed when memory runs out (proc(5)).
FIRST_TO_GO = "1000"
ITSELF = Path("/proc/self")


def wait(line: socket.socket, flags: Sequence[str]) -> None:
    """Get ready, say so, and fork a show for each message, until the supervisor has gone."""
    _call_myself(WAITS)
    usual = _first_to_go()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(prepare, flags).result()
    check_alone()
    gc.collect()
    gc.freeze()  # or the collector would write to every page that is shared
    line.send(READY)
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, MOST_BYTES, 1)
        if not message:
            return
        _fork(line, descriptors[0], json.loads(message), usual, flags)
        os.close(descriptors[0])


def prepare(flags: Sequence[str]) -> None:
    """Import, and work out what is the same in every show of these flags; raises MirrorError."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    networks = _imported("mirror.markers.networks")
    settings = _imported("mirror.watch.cli").held_to_their_limits(flags)
    doors = [name for door, names in DOORS.items() if getattr(settings, door).on for name in names]
    for name in (*LATER, *doors):
        _imported(name)
    networks.preload()
    weights = _imported("mirror.places").weights_folder(settings.faces.weights)
    _imported("mirror.screen.sheet").sheet_of(_imported("mirror.canonical").load_mesh(weights))


def check_alone() -> None:
    """Raises RuntimeError when a library has started a thread: a fork would be without it, and
    with whatever it had locked."""
    clock = MonotonicClock()
    end_s = clock.now_s() + ENDING_S
    while (threads := len(list(ITSELF.glob("task/*")))) > 1:
        if clock.now_s() > end_s:
            raise RuntimeError(f"{threads} threads, where one may be")
        clock.sleep_s(0.01)


def _imported(name: str) -> Any:
    return importlib.import_module(name)


def _fork(
    line: socket.socket, pulse: int, environment: dict[str, str], usual: str, flags: Sequence[str]
) -> None:
    """A show whose parent is gone, so that the supervisor adopts it.

    It begins when the supervisor has been told its process id: a show that nobody knows of would
    hold the river's file.
    """
    known, knows = os.pipe()
    told, tells = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            show = os.fork()
            if show:
                os.write(tells, str(show).encode())
            else:
                for each in (knows, told, tells, line.fileno()):
                    os.close(each)
                if os.read(known, 1):
                    _play(pulse, environment, usual, flags)
        finally:
            os._exit(0)
    os.close(known)
    os.close(tells)
    with os.fdopen(told, "rb") as ear, os.fdopen(knows, "wb", 0) as gate:
        os.waitpid(between, 0)
        line.send(ear.read() or b"0")
        with contextlib.suppress(BrokenPipeError):  # it has been killed meanwhile
            gate.write(b"!")


def _play(pulse: int, environment: dict[str, str], usual: str, flags: Sequence[str]) -> None:
    """Be the show, and end with it."""
    status = 1
    try:
        os.setsid()
        _call_myself(PLAYS)
        with contextlib.suppress(OSError):
            (ITSELF / "oom_score_adj").write_text(usual, encoding="ascii")
        os.environ.update(environment)
        os.environ[PULSE] = str(pulse)
        status = _imported("mirror.cli").main(["run", *flags])
    except BaseException:  # noqa: BLE001 - nothing of it may reach the process that waits
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(status)


def _call_myself(name: str) -> None:
    with contextlib.suppress(OSError):
        (ITSELF / "comm").write_text(name, encoding="ascii")


def _first_to_go() -> str:
    """Ask the system to kill this process before any other; what it had meant before."""
    path = ITSELF / "oom_score_adj"
    try:
        usual = path.read_text(encoding="ascii").strip()
        path.write_text(FIRST_TO_GO, encoding="ascii")
    except OSError:
        return "0"
    return usual


if __name__ == "__main__":
    try:
        with socket.socket(fileno=int(sys.argv[1])) as supervisor:
            wait(supervisor, sys.argv[2:])
    except MirrorError as error:
        raise SystemExit(str(error)) from None
