"""One program for one file: whoever comes second says so and ends.

A lock of the system's (flock) on a file beside it, which the system gives back however a program
ends; killed programs leave nothing to be cleared away. The lock file holds the holder's process id.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mirror.errors import SettingsError

log = logging.getLogger(__name__)


@contextmanager
def alone(path: Path, suffix: str = ".lock") -> Iterator[None]:
    """Hold a file for this program alone; raises SettingsError when another program holds it.

    Where the lock cannot be made (a disk that may not be written), nobody is refused.
    """
    lock = path.with_name(path.name + suffix)
    try:
        held = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        log.warning("%s cannot be made (%s): a second program is not noticed", lock, error.strerror)
        yield
        return
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                str(path), f"another program holds it{_told(holder(path, suffix))}",
                "one at a time", "end the other one first",
            ) from None  # fmt: skip
        try:
            os.ftruncate(held, 0)
            os.pwrite(held, str(os.getpid()).encode(), 0)
        except OSError as error:  # a full disk: the lock holds all the same
            log.debug("%s: %s", lock, error)
        yield
    finally:
        os.close(held)


def holder(path: Path, suffix: str = ".lock") -> int | None:
    """The process that holds a file now; None when nobody does, or it cannot be told."""
    lock = path.with_name(path.name + suffix)
    try:
        looked = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(looked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        text = os.pread(looked, 32, 0)
        return int(text) if text.isdigit() else None
    finally:
        os.close(looked)


def _told(process: int | None) -> str:
    return f" (process {process})" if process else ""
