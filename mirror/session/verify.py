"""Looks through a whole file: what is inside, and whether every checksum and every number holds.

In: a file. Out: a ``Survey``: counts, times, and every flaw in words. Nothing found in a file
raises, save that it is no MCAP file at all. One chunk is held in memory at a time; any thread.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mcap.opcode import Opcode
from mcap.records import Message

from mirror.errors import SessionError
from mirror.session.messages import DECODE
from mirror.session.schemas import RiverHash, SessionHeader, topic_number
from mirror.session.walk import (
    MAGIC,
    Record,
    inner,
    open_chunk,
    open_mcap,
    read_body,
    read_channel,
    read_message,
    records,
    size_of,
)
from mirror.signals import Sitters

#: Enough to tell what is wrong with a file.
MOST_FLAWS = 20

MOST_KINDS = 50

_BLOCK_BYTES = 1 << 20


@dataclass
class Survey:
    """What a file holds. flaws: empty if all is well; begin_s, end_s: of the session, seconds."""

    path: Path
    bytes: int = 0
    header: SessionHeader | None = None
    messages: Counter[str] = field(default_factory=Counter)
    chunks: int = 0
    begin_s: float = 0.0
    end_s: float = 0.0
    visits: int = 0
    sitters_most: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    last_hash: RiverHash | None = None
    attachments: int = 0
    is_closed: bool = False
    flaws: list[str] = field(default_factory=list)

    def flaw(self, what: str) -> None:
        """Note what is wrong; after twenty only that there is more."""
        if len(self.flaws) < MOST_FLAWS:
            self.flaws.append(what)
        elif len(self.flaws) == MOST_FLAWS:
            self.flaws.append("and more")

    @property
    def is_intact(self) -> bool:
        """Whether every checksum was right, every message could be read and none is missing."""
        return not self.flaws


@dataclass
class _Progress:
    """What is carried from message to message."""

    channels: dict[int, str] = field(default_factory=dict)
    sequence: int = 0
    state: str = ""
    last_s: dict[str, float] = field(default_factory=dict)


def survey(path: Path) -> Survey:
    """Look through a file; SessionError only if it cannot be opened or is no MCAP file."""
    path = Path(path)
    found, progress = Survey(path), _Progress()
    with open_mcap(path) as file:
        found.bytes = size_of(file)
        try:
            for record in records(file, path):
                _look(file, record, found, progress)
        except SessionError as error:
            found.flaw(_words(error))
    if found.header is None:
        found.flaw("no session's header that can be read")
    elif found.is_closed and progress.state != "end":
        found.flaw("the last header is missing: the recording does not say how it ended")
    return found


def _look(file: IO[bytes], record: Record, found: Survey, progress: _Progress) -> None:
    if record.opcode == Opcode.CHUNK:
        found.chunks += 1
        _try(found, lambda: _look_into(file, record, found, progress))
    elif record.opcode in (Opcode.MESSAGE, Opcode.CHANNEL):
        body = memoryview(read_body(file, found.path, record))
        _try(found, lambda: _look_at(record.opcode, body, record, found, progress))
    elif record.opcode == Opcode.ATTACHMENT:
        found.attachments += 1
        _check_attachment(file, record, found)
    elif record.opcode == Opcode.DATA_END:
        _check_data(file, record, found)
        found.is_closed = True
    elif record.opcode == Opcode.FOOTER:
        _check_summary(file, record, found)


def _try(found: Survey, look: Callable[[], None]) -> None:
    try:
        look()
    except SessionError as error:
        found.flaw(_words(error))


def _words(error: SessionError) -> str:
    return f"{error.where}: {error.found}"


def _look_into(file: IO[bytes], record: Record, found: Survey, progress: _Progress) -> None:
    plain = open_chunk(file, found.path, record)
    for opcode, body in inner(plain, found.path, record.offset):
        _look_at(opcode, body, record, found, progress)


def _look_at(
    opcode: int, body: memoryview, record: Record, found: Survey, progress: _Progress
) -> None:
    if opcode == Opcode.CHANNEL:
        channel = read_channel(body, found.path, record.offset)
        progress.channels[channel.id] = channel.topic if topic_number(channel.topic) else "other"
    elif opcode == Opcode.MESSAGE:
        message = read_message(body, found.path, record.offset)
        topic = progress.channels.get(message.channel_id, "other")
        found.messages[topic] += 1
        _check_sequence(message, record, found, progress)
        if topic_number(topic):
            _tally(topic, DECODE[topic](message.data), found, progress)


def _check_sequence(message: Message, record: Record, found: Survey, progress: _Progress) -> None:
    """A number left out between two messages: something is missing, or was before a recovery."""
    if message.sequence == 0:
        return
    mended = found.header is not None and found.header.recovered
    if progress.sequence and message.sequence != progress.sequence + 1 and not mended:
        what = f"message {message.sequence} follows message {progress.sequence}"
        found.flaw(f"{found.path}, byte {record.offset}: {what}")
    progress.sequence = message.sequence


def _tally(topic: str, value: Any, found: Survey, progress: _Progress) -> None:
    """Count one decoded message."""
    if topic == "/session":
        header, progress.state = value
        found.header = found.header or header
        return
    start_s = found.header.start_s if found.header else 0.0
    if topic == "/picture":
        time_s = value[2] - start_s
    elif topic == "/sitters":
        time_s = value.sitters.time_s - start_s
        _tally_sitters(value.sitters, found)
    else:
        time_s = value.time_s - start_s
        if topic == "/fault":
            known = value.kind in found.faults or len(found.faults) < MOST_KINDS
            found.faults[value.kind[:40] if known else "other"] += 1
        else:
            found.last_hash = value
    if time_s < progress.last_s.get(topic, time_s):
        found.flaw(f"{topic} goes back in time at {time_s:.3f} s")
    found.begin_s = time_s if not progress.last_s else min(found.begin_s, time_s)
    progress.last_s[topic] = time_s
    found.end_s = max(found.end_s, time_s)


def _tally_sitters(sitters: Sitters, found: Survey) -> None:
    found.visits += len(sitters.arrived)
    found.sitters_most = max(found.sitters_most, len(sitters.sitters))


def _check_attachment(file: IO[bytes], record: Record, found: Survey) -> None:
    """The checksum of an attachment, which ends it; read in blocks, its name is never used."""
    stored = _slice(file, record.end - 4, record.end)
    if record.length < 4 or _checksum(file, record.body, record.end - 4) != _word(stored):
        found.flaw(f"byte {record.offset}: an attachment with a wrong checksum")


def _check_data(file: IO[bytes], record: Record, found: Survey) -> None:
    """The checksum of everything before the index."""
    stored = _word(_slice(file, record.body, record.end))
    if record.length != 4 or stored not in (0, _checksum(file, 0, record.offset)):
        found.flaw(f"byte {record.offset}: wrong checksum of the data as a whole")
    found.is_closed = True


def _check_summary(file: IO[bytes], record: Record, found: Survey) -> None:
    """The checksum of the index, and that nothing but the magic follows the footer."""
    tail = _slice(file, record.end, found.bytes)
    if record.length != 20 or tail != MAGIC:
        found.flaw(f"byte {record.offset}: a footer that is not followed by the end")
        return
    start, _, stored = struct.unpack("<QQI", _slice(file, record.body, record.end))
    begin = start if 0 < start <= record.offset else record.offset
    if stored not in (0, _checksum(file, begin, record.end - 4)):
        found.flaw(f"byte {record.offset}: wrong checksum of the index")


def _slice(file: IO[bytes], begin: int, end: int) -> bytes:
    file.seek(max(0, begin))
    return file.read(min(max(0, end - begin), _BLOCK_BYTES))


def _word(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _checksum(file: IO[bytes], begin: int, end: int) -> int:
    value = 0
    while begin < end:
        block = _slice(file, begin, end)
        if not block:
            break
        value, begin = zlib.crc32(block, value), begin + len(block)
    return value
