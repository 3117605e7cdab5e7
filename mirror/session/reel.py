"""A whole recording on disk: one tape after another, within its limits.

In: messages with their session time. Out: files ``NAME.mcap``, ``NAME.0002.mcap``, ... The
recorder's thread owns a reel, and ends it: ``finish``, or ``drop`` where the disk refused.
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from mirror import clock
from mirror.errors import SessionError
from mirror.session.retention import Kept, forget, shelf
from mirror.session.schemas import SessionHeader
from mirror.session.tape import Tape

MB = 1_000_000

#: How often the folder is measured again.
MEASURE_EVERY_S = 10.0


@dataclass(frozen=True)
class Limits:
    """How far a recording may go.

    rotate_s, rotate_mb: a part of this length or size gives way to the next. quota_mb: most that
    all our recordings in the folder may take together, by their real sizes; 0: no quota.
    spare_mb: what must stay free on the disk. oldest_goes: at the quota the oldest recording is
    deleted; otherwise the recording stops.
    """

    rotate_s: float = 3600.0
    rotate_mb: float = 512.0
    quota_mb: float = 0.0
    spare_mb: float = 64.0
    oldest_goes: bool = False


def part_path(path: Path, part: int) -> Path:
    """The file of a part: ``NAME.mcap``, then ``NAME.0002.mcap`` and so on."""
    return path if part == 1 else path.with_name(f"{path.stem}.{part:04d}{path.suffix}")


def free_path(path: Path) -> Path:
    """The path itself, or ``NAME-2.mcap`` and so on: no recording ever overwrites another."""
    tried, number = path, 1
    while os.path.lexists(tried) or os.path.lexists(part_path(tried, 2)):
        number += 1
        tried = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return tried


class Reel:
    """The files of one recording. Every call may raise OSError or, at a limit, SessionError.

    header: its recording, part and started_ns are filled in where they are empty.
    """

    def __init__(self, path: Path, header: SessionHeader, limits: Limits) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._first, self._limits = free_path(path), limits
        self._others_bytes, self._measured_s = 0, float("-inf")
        started_ns = header.started_ns or int(clock.utc_now().timestamp() * 1e9)
        recording = header.recording or secrets.token_hex(8)
        header = replace(header, recording=recording, started_ns=started_ns, part=1)
        self._sequence = 0
        self._check_room(0)
        self._tape = Tape(self._first, header)
        self._part_s: float | None = None
        self._unflushed = False

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self._tape.path

    @property
    def started_ns(self) -> int:
        """Wall clock of the session's 0, nanoseconds since 1970."""
        return self._tape.header.started_ns

    def log_ns(self, time_s: float) -> int:
        """The session time as wall clock, which never jumps as a computer's clock may."""
        return self.started_ns + round((time_s - self._tape.header.start_s) * 1e9)

    def add(self, number: int, time_s: float, data: bytes, publish_ns: int | None = None) -> None:
        """Add a message to the topic of that number at a time of the session."""
        if self._part_s is None:
            self._part_s = time_s
        if self._is_full(time_s):
            self._turn(time_s)
        log_ns = self.log_ns(time_s)
        self._sequence += 1
        publish_ns = log_ns if publish_ns is None else publish_ns
        self._tape.add(number, log_ns, publish_ns, data, self._sequence)
        self._unflushed = True

    def _is_full(self, time_s: float) -> bool:
        long = time_s - (self._part_s or 0.0) >= self._limits.rotate_s
        return long or self._tape.size >= self._limits.rotate_mb * MB

    def _turn(self, time_s: float) -> None:
        """End this part and begin the next."""
        header = replace(self._tape.header, part=self._tape.header.part + 1)
        self._measured_s = float("-inf")
        self._check_room(self._tape.size)
        self._tape.finish("rotated")
        self._tape = Tape(part_path(self._first, header.part), header, self.log_ns(time_s))
        self._part_s = time_s

    def settle(self) -> None:
        """Write everything to the file, then see whether there is room for more."""
        if self._unflushed:
            self._unflushed = False
            self._tape.flush()
            self._check_room(self._tape.size)

    def sync(self) -> None:
        """Wait until the disk itself has what was written; any thread may."""
        self._tape.sync()

    def _check_room(self, own_bytes: int) -> None:
        folder, limits = self._first.parent, self._limits
        free_mb = shutil.disk_usage(folder).free / MB
        if free_mb < limits.spare_mb:
            raise SessionError(
                str(folder), f"{free_mb:.1f} MB free", f"{limits.spare_mb:g} MB or more",
                "delete recordings, or record to another disk",
            )  # fmt: skip
        if limits.quota_mb <= 0:
            return
        now_s = clock.MonotonicClock().now_s()
        if now_s - self._measured_s >= MEASURE_EVERY_S:
            self._measured_s = now_s
            self._others_bytes = sum(kept.bytes for kept in self._others(own_bytes))
        if self._others_bytes + own_bytes > limits.quota_mb * MB:
            self._make_room(own_bytes)

    def _others(self, own_bytes: int) -> list[Kept]:
        found = shelf(self._first.parent)
        return [kept for kept in found if not own_bytes or kept.path != self._tape.path]

    def _make_room(self, own_bytes: int) -> None:
        most_bytes = self._limits.quota_mb * MB
        others = self._others(own_bytes)
        self._others_bytes = sum(kept.bytes for kept in others)
        while self._limits.oldest_goes and others and self._others_bytes + own_bytes > most_bytes:
            oldest = others.pop(0)
            self._others_bytes -= oldest.bytes if forget(oldest) else 0
        if self._others_bytes + own_bytes > most_bytes:
            raise SessionError(
                str(self._first.parent),
                f"{(self._others_bytes + own_bytes) / MB:.1f} MB of recordings",
                f"a quota of {self._limits.quota_mb:g} MB",
                "delete recordings, or raise the quota",
            )

    def finish(self, reason: str = "closed") -> None:
        """Write the footer of the last part, and why it ended."""
        self._tape.finish(reason)

    def drop(self) -> None:
        """Close the last part as it is; recovery can mend it."""
        self._tape.drop()
