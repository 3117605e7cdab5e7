"""What lies on the shelf: our own recordings in a folder, how much they take, which are too old.

In: a folder. Out: files, their sizes and ages. Only regular files that begin as our own MCAP
files do are ever counted or deleted: no links, no folders, no recordings of other programs.
"""

from __future__ import annotations

import logging
import os
import stat
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

from mirror import clock
from mirror.session.almanac import DAY_S, LEAP_S, look_up
from mirror.session.schemas import PROFILE

log = logging.getLogger(__name__)

#: So often a show that runs looks for recordings whose time is over.
EVERY_S = 3600.0

#: Every file of ours begins so: magic, opcode 1, a length, and the profile's name.
_BEGIN = struct.Struct("<8sBQI")
_MAGIC = b"\x89MCAP0\r\n"


@dataclass(frozen=True)
class Kept:
    """One recording in a folder. age_s: since it was last written; bytes: its real size."""

    path: Path
    bytes: int
    age_s: float


def is_ours(path: Path) -> bool:
    """Whether a path is a regular file, no link, that begins as one of our recordings."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        head = file.read(_BEGIN.size + len(PROFILE))
    if len(head) < _BEGIN.size:
        return False
    magic, opcode, _, length = _BEGIN.unpack_from(head)
    ours = (_MAGIC, 1, len(PROFILE), PROFILE.encode())
    return (magic, opcode, length, head[_BEGIN.size :]) == ours


def shelf(folder: Path) -> list[Kept]:
    """Our recordings in a folder, oldest first; an absent folder holds none."""
    now_s = clock.utc_now().timestamp()
    kept = []
    try:
        paths = sorted(folder.glob("*.mcap"))
    except OSError:
        return []
    for path in paths:
        if is_ours(path):
            found = path.lstat()
            kept.append(Kept(path, found.st_size, now_s - found.st_mtime))
    return sorted(kept, key=lambda each: -each.age_s)


def forget_older(folder: Path, keep_days: float) -> list[Kept]:
    """Delete our recordings in a folder that were last written more than keep_days ago.

    keep_days: 0 or less keeps all. Returns what was deleted; what cannot be deleted is logged and
    stays. Nothing is deleted by a clock that is not to be believed, see ``almanac``. Recordings
    from the future, made by a clock that has been put right since, count from now on.
    Sub-folders are not entered.
    """
    if keep_days <= 0 or look_up(folder, clock.utc_now().timestamp()) is not None:
        return []
    kept = shelf(folder)
    for each in kept:
        if each.age_s < -LEAP_S:
            _count_from_now(each)
    return [each for each in kept if each.age_s > keep_days * DAY_S and forget(each)]


def _count_from_now(kept: Kept) -> None:
    try:
        os.utime(kept.path, (clock.utc_now().timestamp(),) * 2)
    except OSError as error:
        log.warning("%s: cannot be dated: %s", kept.path, error)
        return
    ahead_days = -kept.age_s / DAY_S
    log.warning("%s: from %.1f days ahead; it counts from now on", kept.path, ahead_days)


def forget(kept: Kept) -> bool:
    """Delete one recording; whether it is gone."""
    try:
        kept.path.unlink()
    except OSError as error:
        log.warning("%s: cannot be deleted: %s", kept.path, error)
        return False
    log.info("%s: deleted, %.1f days old", kept.path, kept.age_s / DAY_S)
    return True


class Forgetting:
    """Deletes recordings whose time is over, now and then, in a thread of its own: a show that
    runs for months must not wait for its next start. A context manager."""

    def __init__(self, folder: Path, keep_days: float, every_s: float = EVERY_S) -> None:
        """every_s: how often it looks."""
        self._folder, self._keep_days, self._every_s = folder, keep_days, every_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="forgetting", daemon=True)
        self._thread.start()

    def __enter__(self) -> Forgetting:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            try:
                forget_older(self._folder, self._keep_days)
            except OSError as error:
                log.warning("%s: old recordings are not deleted: %s", self._folder, error)
