"""Faults inside a running show, for the fault matrix and the soak: never part of the program.

Python imports this by itself when its folder is on PYTHONPATH. It watches the file that
MIRROR_FAULTS names; a word in it makes a fault, once. Only shows are touched.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

LEAKED: list[bytearray] = []


def facemesh(seconds: float = 3.0) -> None:
    """Reading markers raises, for some seconds."""
    from mirror.markers.markers import FaceReader

    _raise_for(FaceReader, "read", RuntimeError("the graph has failed"), seconds)


def facemesh_hangs(seconds: float = 20.0) -> None:
    """Reading markers does not come back."""
    from mirror.markers.markers import FaceReader

    read, end_s = FaceReader.read, time.monotonic() + seconds

    def hang(self: Any, *given: Any) -> Any:
        while time.monotonic() < end_s:
            time.sleep(0.05)
        return read(self, *given)

    FaceReader.read = hang  # type: ignore[method-assign]


def model(seconds: float = 6.0) -> None:
    """One of the six models raises."""
    from mirror.faces import FaceModel

    paint, end_s = FaceModel.paint, time.monotonic() + seconds

    def fail(self: Any, *given: Any) -> Any:
        if self.school == "stone" and time.monotonic() < end_s:
            raise RuntimeError("no such tensor")
        return paint(self, *given)

    FaceModel.paint = fail  # type: ignore[method-assign, assignment]


def painter() -> None:
    """The painter's thread ends."""
    from mirror.painting.painter import Studio

    _raise_for(Studio, "paint", SystemExit(), 0.2)


def gl() -> None:
    """OpenGL is asked for what it does not know, once: it keeps an error."""
    from mirror.screen.screen import Screen

    draw = Screen.draw

    def spoil(self: Any, *given: Any) -> Any:
        Screen.draw = draw  # type: ignore[method-assign]
        find = ctypes.CDLL("libGL.so.1").glXGetProcAddress
        find.restype = ctypes.c_void_p
        ctypes.CFUNCTYPE(None, ctypes.c_uint)(find(b"glEnable"))(0xFFFF)
        return draw(self, *given)

    Screen.draw = spoil  # type: ignore[method-assign]


def gl_lost() -> None:
    """What is drawn into has gone, as with a lost context."""
    from mirror.screen.screen import Screen

    draw = Screen.draw

    def lose(self: Any, *given: Any) -> Any:
        Screen.draw = draw  # type: ignore[method-assign]
        self._targets.portraits_target.release()
        return draw(self, *given)

    Screen.draw = lose  # type: ignore[method-assign]


def stuck() -> None:
    """The thread that draws stands still, all others go on."""
    from mirror.screen.screen import Screen

    def hang(self: Any, *given: Any) -> Any:
        while True:
            time.sleep(0.05)

    Screen.draw = hang  # type: ignore[method-assign]


def crash() -> None:
    """A fault of the program that nobody catches."""
    from mirror.screen.screen import Screen

    def fail(self: Any, *given: Any) -> Any:
        os.abort()

    Screen.draw = fail  # type: ignore[method-assign]


def leak(to_mb: float = 1750.0) -> None:
    """Memory is taken and held, until the process holds so much."""
    from mirror.report import resident_mb

    while resident_mb() < to_mb:
        LEAKED.append(bytearray(os.urandom(1 << 20) * 10))


def elsewhere() -> None:
    """Another time zone, and another language."""
    import locale

    os.environ.update(TZ="XYZ-9", LC_ALL="C")
    time.tzset()
    locale.setlocale(locale.LC_ALL, "C")


def _raise_for(of: Any, name: str, error: BaseException, seconds: float) -> None:
    method, end_s = getattr(of, name), time.monotonic() + seconds

    def fail(self: Any, *given: Any) -> Any:
        if time.monotonic() < end_s:
            raise error
        return method(self, *given)

    setattr(of, name, fail)


def _watch(path: str) -> None:
    while True:
        time.sleep(0.05)
        try:
            word = Path(path).read_text(encoding="ascii").strip()
            Path(path).unlink()
        except OSError:
            continue
        if word:
            globals()[word]()


def _begin() -> None:
    threading.Thread(target=_watch, args=(os.environ["MIRROR_FAULTS"],), daemon=True).start()


if os.environ.get("MIRROR_FAULTS"):
    words = getattr(sys, "orig_argv", ())  # from Python 3.10 on
    if "mirror.watch.standby" in words:  # shows are forked from it
        os.register_at_fork(after_in_child=_begin)
    elif "run" in words:
        _begin()
