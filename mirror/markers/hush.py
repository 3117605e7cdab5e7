"""Keeps MediaPipe's chatter off stderr while its networks are being built.

Its C++ parts write start-up notes to the process's stderr, past Python's logging and whatever
the environment asks for. ``hushed`` leads stderr through a pipe meanwhile: the known notes are
dropped, every other line of any thread goes where it was meant to. Any thread may call it.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator

_NOTES = re.compile(
    rb"INFO: (Created TensorFlow Lite|Initialized TensorFlow Lite)"
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|[IW]\d{4} \d\d:\d\d:\d\d\.\d+ |[IW]0000 00:00:\d+\.\d+ "
)
_STDERR = 2
_LAST_LINES_S = 1.0  # waited at most for what is still in the pipe
_one_at_a_time = threading.RLock()


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """For the time of a with block, drop MediaPipe's start-up notes from stderr."""
    with _one_at_a_time:
        try:
            kept = os.dup(_STDERR)
        except OSError:  # stderr is closed, as under some service managers: nothing to hush
            yield
            return
        source, sink = os.pipe()
        os.dup2(sink, _STDERR)
        os.close(sink)
        args = (source, os.dup(kept))
        strainer = threading.Thread(target=_strain, args=args, name="hushed stderr", daemon=True)
        strainer.start()
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)  # the pipe's last writer is gone: the strainer ends
            os.close(kept)
            strainer.join(_LAST_LINES_S)


def _strain(source: int, destination: int) -> None:
    """Pass lines on, except the known notes, until nobody can write any more.

    A program started meanwhile inherits the pipe as its stderr, and may write for longer.
    """
    with os.fdopen(source, "rb") as lines, os.fdopen(destination, "wb", 0) as kept:
        for line in lines:
            if not _NOTES.match(line):
                kept.write(line)
