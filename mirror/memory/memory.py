"""The river's memory: its state, saved about once a second and taken up again after a restart.

In: river states. Out: a small file, and the state that was saved last. The file is made once and
then only written over in place, in four slots: two in turn every second, which the system brings
to the disk when it likes, and two in turn every minute, which it must bring there at once. So a
killed program loses a second and a power cut a minute at most; a full disk refuses nothing; and
a year of seconds does not wear out the disk. A slot counts only with its own sha256, and the
newest that does is taken.

What is in it: portraits in the making, mixed from the source and from visitors, and how much of
each; no picture, no name, no time of day. The show's thread asks; one thread of its own writes, so
that a disk that hangs stops nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from mirror.cards import write_whole
from mirror.clock import Clock, MonotonicClock
from mirror.closeable import Closeable
from mirror.errors import StateError
from mirror.river.river import Moment, RiverState, arrays, start
from mirror.river.source import Density
from mirror.settings import RiverSettings

log = logging.getLogger(__name__)

FORMAT = "mirror-river-1"
#: The head of the file and of each slot: magic, and the size of a slot or number, length, sha256.
_FILE, _SLOT = struct.Struct("<16sQ"), struct.Struct("<QQ32s")
MAGIC = FORMAT.encode().ljust(16)
PAGE, SLOTS, FIRM = 4096, 4, 2  # slots from FIRM on are brought to the disk at once
MOST_BYTES = 1 << 30
#: A state is saved so often, and firmly so often, seconds.
EVERY_S, FIRM_EVERY_S = 1.0, 60.0
#: Pauses after the disk has refused, and how long an end waits for the last save, seconds.
FIRST_PAUSE_S, LONGEST_PAUSE_S, CLOSE_S = 1.0, 60.0, 2.0


@dataclass(frozen=True)
class Kept:
    """What was saved: the river's arrays by name, the piece's time, the newest visit's id.

    standing: what show control had asked for, by the words of ``commands``; asked: what the site
    and the flags had asked for at that time.
    """

    arrays: Mapping[str, npt.NDArray[np.generic]]
    time_s: float
    newest_id: int
    seed: int
    weights: Mapping[str, str]
    standing: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)


def kept(
    river: RiverState, time_s: float, newest_id: int, weights: Mapping[str, str],
    standing: Mapping[str, Any] | None = None, asked: Mapping[str, Any] | None = None,
) -> Kept:  # fmt: skip
    """What is saved of a river; nothing is copied."""
    seed = river.source.seed
    return Kept(arrays(river), time_s, newest_id, seed, weights, standing or {}, asked or {})


def taken_up(
    memory: Kept, settings: RiverSettings, densities: Sequence[Density], seed: int, aspect: float
) -> RiverState:
    """The river as it was saved. Raises StateError when it was another river."""
    fresh = start(settings, densities, seed, aspect)
    if memory.seed != seed:
        raise _other("seed", memory.seed, seed)
    found: dict[str, Any] = dict(memory.arrays)
    for name, array in arrays(fresh).items():
        saved = found.get(name)
        if saved is None or saved.shape != array.shape or saved.dtype != array.dtype:
            raise _other(name, None if saved is None else saved.shape, array.shape)
        if not np.isfinite(saved).all():
            raise _other(name, "not finite", "numbers")
    (steps, since, tick, turn), times = found["steps"].tolist(), found["time_s"].tolist()
    gain, coordinates = fresh.source.gain, found["source_coordinates"]
    target = fresh.source.target.copy()
    for parcel, stream in enumerate(fresh.stream):
        latent = densities[stream].latent(coordinates[parcel], gain)
        target[parcel, : len(latent)] = latent
    return replace(
        fresh,
        moment=Moment(steps, times[0], since, times[1]),
        attended_s=times[2],
        turned_s=times[3],
        turn=turn,
        source=replace(fresh.source, tick=tick, coordinates=coordinates, target=target),
        **{n: found[n] for n in (
            "place", "water", "turbulence", "visit_ids", "presence", "faded_s", "met_s",
        )},
    )  # fmt: skip


def packed(memory: Kept) -> bytes:
    """One line of JSON, and the arrays one after another, little-endian."""
    shapes = {n: [a.dtype.newbyteorder("<").str, list(a.shape)] for n, a in memory.arrays.items()}
    head = {
        "format": FORMAT, "time_s": memory.time_s, "newest_id": memory.newest_id,
        "seed": memory.seed, "weights": dict(memory.weights), "arrays": shapes,
        "standing": dict(memory.standing), "asked": dict(memory.asked),
    }  # fmt: skip
    parts = [json.dumps(head).encode() + b"\n"]
    parts += [a.astype(a.dtype.newbyteorder("<")).tobytes() for a in memory.arrays.values()]
    return b"".join(parts)


def unpacked(stored: bytes) -> Kept:
    """The other way; raises ValueError, KeyError or TypeError for what was never packed."""
    line, rest = stored.split(b"\n", 1)
    head = json.loads(line)
    if head["format"] != FORMAT:
        raise ValueError(f"format {head['format']}")
    found, at = {}, 0
    for name, (kind, shape) in head["arrays"].items():
        dtype = np.dtype(kind)
        if dtype.kind not in "fi":
            raise ValueError(f"{name} of kind {dtype}")
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(rest, dtype, count, at).reshape(shape)
        found[str(name)], at = array.astype(dtype.newbyteorder("=")), at + array.nbytes
    return Kept(
        found, float(head["time_s"]), int(head["newest_id"]), int(head["seed"]),
        dict(head["weights"]), dict(head["standing"]), dict(head["asked"]),
    )  # fmt: skip


def read(path: Path) -> Kept | None:
    """What was saved last; None when there is no file. Raises StateError for a damaged one."""
    try:
        with open(path, "rb") as file:
            slots = _slots(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise _refused(path, str(error)) from error
    if not slots:
        raise _refused(path, "no slot agrees with its checksum")
    try:
        return unpacked(slots[max(slots)])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(path, f"cannot be understood ({error})") from error


class Memory(Closeable):
    """Keeps a river in a file. A context manager, or close it; the newest state wins."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path, self._clock = path, clock or MonotonicClock()
        self._condition = threading.Condition()
        self._next: Kept | None = None
        self._closing = False
        self._file: BinaryIO | None = None
        self._room = self._number = self._firms = self.saved = self.refused = 0
        self._firm_s = -FIRM_EVERY_S
        self._pause_s, self._again_s = FIRST_PAUSE_S, 0.0
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def keep(self, memory: Kept) -> None:
        """Save this, in a while; whatever waited is out of date."""
        with self._condition:
            self._next = memory
            self._condition.notify()

    def close(self) -> None:
        """Save what still waits and let go of the file; a disk that hangs is left alone."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closing or self._next)
                memory, self._next, last = self._next, None, self._closing
            if memory is not None and (last or self._clock.now_s() >= self._again_s):
                self._try(memory, last)
            if last:
                self._let_go()
                return

    def _try(self, memory: Kept, last: bool) -> None:
        try:
            self._save(packed(memory), last)
            self._pause_s, self.saved = FIRST_PAUSE_S, self.saved + 1
        except Exception as error:  # noqa: BLE001 - whatever the disk does, the thread lives on
            self._let_go()
            self.refused += 1
            level = logging.WARNING if self.refused == 1 else logging.DEBUG
            log.log(level, "%s: the river cannot be saved (%s)", self.path, error)
            self._again_s = self._clock.now_s() + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _save(self, stored: bytes, last: bool) -> None:
        """Write one slot, and once a minute and at the end one more, firmly."""
        file = self._open(stored)
        firm = last or self._clock.now_s() - self._firm_s >= FIRM_EVERY_S
        slots = [self._number % FIRM]
        if firm:
            self._firms += 1
            slots.append(FIRM + self._firms % FIRM)
        for slot in slots:
            self._number += 1
            digest = hashlib.sha256(self._number.to_bytes(8, "little") + stored).digest()
            file.seek(PAGE + slot * self._room)
            file.write(_SLOT.pack(self._number, len(stored), digest) + stored)
            file.flush()
        if firm:
            os.fsync(file.fileno())
            self._firm_s = self._clock.now_s()

    def _open(self, stored: bytes) -> BinaryIO:
        """The file, with slots that are large enough; made anew only when they are not."""
        if self._file is not None and _SLOT.size + len(stored) <= self._room:
            return self._file
        self._let_go()
        self._room = room_for(len(stored))
        try:
            self._file = self.path.open("r+b")
            if _room(self._file) == self._room:
                self._number = max(_slots(self._file), default=0)
                return self._file
        except (FileNotFoundError, ValueError):
            pass
        self._let_go()
        whole = (_FILE.pack(MAGIC, self._room)).ljust(PAGE, b"\0") + bytes(SLOTS * self._room)
        write_whole(self.path, whole)
        self._file, self._number = self.path.open("r+b"), 0
        return self._file

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:  # what was still to be written cannot be
                log.debug("%s: %s", self.path, error)


def room_for(length: int) -> int:
    """The size of a slot for so many bytes: with a page to spare, as numbers grow."""
    return -(-(_SLOT.size + length) // PAGE) * PAGE + PAGE


def _room(file: BinaryIO) -> int:
    """The size of a file's slots; raises ValueError when it is no such file."""
    file.seek(0)
    head = file.read(_FILE.size)
    if len(head) < _FILE.size:
        raise ValueError(f"{len(head)} bytes of a head")
    magic, room = _FILE.unpack(head)
    if magic != MAGIC:
        raise ValueError(f"begins with {magic.strip()!r}, not {FORMAT}")
    if not PAGE <= room <= MOST_BYTES:
        raise ValueError(f"slots of {room} bytes")
    return int(room)


def _slots(file: BinaryIO) -> dict[int, bytes]:
    """The slots that agree with their checksums, by number; raises ValueError."""
    room, found = _room(file), {}
    for slot in range(SLOTS):
        file.seek(PAGE + slot * room)
        stored = file.read(room)
        if len(stored) < _SLOT.size:
            continue
        number, length, digest = _SLOT.unpack_from(stored)
        content = stored[_SLOT.size : _SLOT.size + length]
        if number and hashlib.sha256(number.to_bytes(8, "little") + content).digest() == digest:
            found[int(number)] = content
    return found


def _other(name: str, found: Any, allowed: Any) -> StateError:
    return StateError("the saved river", f"{name}: {found}", f"{allowed}")


def _refused(path: Path, found: str) -> StateError:
    return StateError(str(path), found, f"a river saved by this version, {FORMAT}")
