"""Reads a recorded session back: the same values that the show saw, at the same times.

In: a file, and the further parts of its recording beside it. Out: ``Sitters`` and the rest, in
the order in which they were recorded. One chunk is held in memory at a time. A file that was cut
is read to its last whole chunk, with a warning; one that is broken is an error, for a replay
proves nothing with a hole in it. Any thread; every iterator opens the files for itself.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO

from mcap.opcode import Opcode
from mcap.records import Channel, Message

from mirror.errors import SessionError
from mirror.session.messages import (
    decode_fault,
    decode_hash,
    decode_header,
    decode_moment,
    decode_picture,
)
from mirror.session.picture import from_jpeg
from mirror.session.reel import part_path
from mirror.session.schemas import Event, Moment, RiverHash, SessionHeader, topic_number
from mirror.session.walk import (
    MEND,
    Cut,
    Record,
    chunk_head,
    inner,
    is_closed_well,
    open_chunk,
    open_mcap,
    read_body,
    read_channel,
    read_message,
    records,
)
from mirror.signals import Frame, Sitters

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """A recorded session. header: of the file opened. parts: it and those that follow."""

    path: Path
    header: SessionHeader
    parts: tuple[Path, ...]

    def sitters(self, from_s: float = 0.0, to_s: float | None = None) -> Iterator[Sitters]:
        """The sitters of every moment from from_s up to to_s (included), seconds of the session.

        The values are bit for bit those recorded. time_s is the one recorded less the header's
        start_s, also after a seek. Who is already there at a seek arrives at its first moment.
        """
        for moment in self.moments(from_s, to_s):
            yield moment.sitters

    def moments(self, from_s: float = 0.0, to_s: float | None = None) -> Iterator[Moment]:
        """The same with capture and arrival times."""
        present: set[int] | None = set() if from_s > 0 or self.header.recovered else None
        for message in self._messages("/sitters", from_s, to_s):
            moment = decode_moment(message.data)
            time_s = moment.sitters.time_s - self.header.start_s
            if not _within(time_s, from_s, to_s):
                continue
            sitters = moment.sitters
            if present is not None:
                sitters = _introduce(sitters, present)
            if self.header.start_s or present is not None:
                moment = replace(moment, sitters=replace(sitters, time_s=time_s))
            yield moment

    def hashes(self, from_s: float = 0.0, to_s: float | None = None) -> Iterator[RiverHash]:
        """The river's hashes, about one a second."""
        for message in self._messages("/river", from_s, to_s):
            hashed = decode_hash(message.data)
            hashed = replace(hashed, time_s=hashed.time_s - self.header.start_s)
            if _within(hashed.time_s, from_s, to_s):
                yield hashed

    def events(self) -> Iterator[Event]:
        """Arrivals ("arrived", id), leavings ("left", id) and the camera's faults."""
        for message in self._messages("/sitters /fault"):
            if message.topic == "/fault":
                event = decode_fault(message.data)
                yield replace(event, time_s=event.time_s - self.header.start_s)
                continue
            sitters = decode_moment(message.data).sitters
            time_s = sitters.time_s - self.header.start_s
            yield from (Event("arrived", time_s, number) for number in sitters.arrived)
            yield from (Event("left", time_s, number) for number in sitters.left)

    def pictures(self, from_s: float = 0.0, to_s: float | None = None) -> Iterator[Frame]:
        """The camera's frames, decoded from JPEG, if the header says pictures."""
        for jpeg, number, time_s in self.jpegs(from_s, to_s):
            yield Frame(from_jpeg(jpeg), number, time_s)

    def jpegs(
        self, from_s: float = 0.0, to_s: float | None = None
    ) -> Iterator[tuple[bytes, int, float]]:
        """The same as JPEG files, with number and time."""
        for message in self._messages("/picture", from_s, to_s):
            jpeg, number, time_s = decode_picture(message.data)
            if _within(time_s - self.header.start_s, from_s, to_s):
                yield jpeg, number, time_s - self.header.start_s

    @cached_property
    def duration_s(self) -> float:
        """From the begin of this file to the last message of its last part, seconds."""
        first_ns = self.header.started_ns
        if self.header.part > 1:
            first_ns = _begin_ns(self.path)
        return max(0, _last_ns(self.parts[-1], first_ns) - first_ns) / 1e9

    @property
    def is_whole(self) -> bool:
        """Whether every part was closed with index and footer."""
        for path in self.parts:
            with open_mcap(path) as file:
                if not is_closed_well(file):
                    return False
        return True

    def _messages(
        self, topics: str, from_s: float = 0.0, to_s: float | None = None
    ) -> Iterator[Told]:
        from_ns = self._as_ns(from_s) if from_s > 0 else None
        to_ns = None if to_s is None else self._as_ns(to_s)
        strict = not self.header.recovered
        for path, after in zip(self.parts, [*self.parts[1:], None]):
            if from_ns is None or after is None or _begin_ns(after) > from_ns:
                yield from read_file(path, topics, from_ns, to_ns, strict)

    def _as_ns(self, time_s: float) -> int:
        return self.header.started_ns + round(time_s * 1e9)


@dataclass(frozen=True)
class Told:
    """One message of a file."""

    topic: str
    sequence: int
    log_time: int
    data: bytes


def open_session(path: Path) -> Session:
    """Open a recording, with the further parts of it that lie beside the file.

    Raises SessionError when there is no such file, it is not ours, its format is another, or its
    beginning is damaged.
    """
    path = Path(path)
    header = read_header(path)
    return Session(path, header, tuple(_parts(path, header)))


def read_header(path: Path) -> SessionHeader:
    """The header at the beginning of a file; SessionError if there is none."""
    for told in read_file(path, "/session"):
        return decode_header(told.data)[0]
    raise SessionError(str(path), "no session's header in it", "a file recorded by mirror", MEND)


def _parts(path: Path, header: SessionHeader) -> Iterator[Path]:
    yield path
    mark = f".{header.part:04d}"
    stem = path.stem[: -len(mark)] if path.stem.endswith(mark) else path.stem
    if header.recovered or (header.part > 1 and stem == path.stem):
        return
    first, part = path.with_name(stem + path.suffix), header.part + 1
    while part_path(first, part).is_file():
        found = read_header(part_path(first, part))
        if (found.recording, found.part) != (header.recording, part):
            return
        yield part_path(first, part)
        part += 1


def _begin_ns(path: Path) -> int:
    """Time of the header that a file begins with."""
    return next(read_file(path, "/session")).log_time


def _within(time_s: float, from_s: float, to_s: float | None) -> bool:
    return (from_s <= 0 or time_s >= from_s) and (to_s is None or time_s <= to_s)


def _introduce(sitters: Sitters, present: set[int]) -> Sitters:
    """After a seek or a gap: whoever is there has arrived, whoever is not has left."""
    here = {sitter.id for sitter in sitters.sitters} - set(sitters.left)
    came = tuple(sorted(here - present - set(sitters.arrived)))
    went = tuple(sorted(present - here - set(sitters.left)))
    left = tuple(n for n in sitters.left if n in present or n in sitters.arrived)
    shown = tuple(sitter for sitter in sitters.sitters if sitter.id in here or sitter.id in left)
    present.clear()
    present.update(here)
    return Sitters(sitters.time_s, shown, sitters.arrived + came, left + went)


def read_file(
    path: Path,
    topics: str,
    from_ns: int | None = None,
    to_ns: int | None = None,
    strict: bool = True,
) -> Iterator[Told]:
    """Messages of one file on the topics named, in order; chunks wholly outside are passed over.

    strict: a message that is missing between two others is an error.
    """
    wanted, channels = set(topics.split()), dict[int, str]()
    last = 0
    with open_mcap(path) as file:
        for record in _data(file, path):
            if record.opcode == Opcode.CHUNK:
                if channels and _is_outside(file, path, record, from_ns, to_ns):
                    last = 0
                    continue
                pieces = inner(open_chunk(file, path, record), path, record.offset)
            elif record.opcode in (Opcode.CHANNEL, Opcode.MESSAGE):
                body = memoryview(read_body(file, path, record))
                pieces = iter([(record.opcode, body)])
            else:
                continue
            for opcode, body in pieces:
                if opcode == Opcode.CHANNEL:
                    _learn(channels, read_channel(body, path, record.offset))
                elif opcode == Opcode.MESSAGE:
                    message = read_message(body, path, record.offset)
                    last = _count(message, last, path, record, strict)
                    topic = channels.get(message.channel_id, "")
                    if topic in wanted:
                        yield Told(topic, message.sequence, message.log_time, message.data)


def _data(file: IO[bytes], path: Path) -> Iterator[Record]:
    """The records before the index; a cut end is told in the log."""
    try:
        for record in records(file, path):
            if record.opcode == Opcode.DATA_END:
                return
            yield record
    except Cut as cut:
        log.warning("%s; read up to there", cut)


def _is_outside(
    file: IO[bytes], path: Path, record: Record, from_ns: int | None, to_ns: int | None
) -> bool:
    """Whether a chunk ends a millisecond before the span, or begins a millisecond after it."""
    if from_ns is None and to_ns is None:
        return False
    head = chunk_head(file, path, record)
    early = from_ns is not None and head.last_ns < from_ns - 1_000_000
    return early or (to_ns is not None and head.first_ns > to_ns + 1_000_000)


def _learn(channels: dict[int, str], channel: Channel) -> None:
    if topic_number(channel.topic) and channel.message_encoding == "json":
        channels[channel.id] = channel.topic


def _count(message: Message, last: int, path: Path, record: Record, strict: bool) -> int:
    """Hold a message's number against the one before; 0 is not counted."""
    if message.sequence == 0:
        return last
    if strict and last and message.sequence != last + 1:
        found = f"message {message.sequence} follows message {last}"
        raise SessionError(f"{path}, byte {record.offset}", found, "every message in turn", MEND)
    return message.sequence


def _last_ns(path: Path, first_ns: int) -> int:
    """Time of the last message in the last whole chunk; first_ns if there is none."""
    with open_mcap(path) as file:
        chunks = (record for record in _data(file, path) if record.opcode == Opcode.CHUNK)
        ends = deque(chunks, maxlen=1)
        if not ends:
            return first_ns
        final = ends[0]
        pieces = inner(open_chunk(file, path, final), path, final.offset)
        found = (body for opcode, body in pieces if opcode == Opcode.MESSAGE)
        return max((read_message(b, path, final.offset).log_time for b in found), default=first_ns)
