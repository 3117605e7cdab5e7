"""Mends a file that was cut or damaged: every chunk whose checksum holds goes into a new file.

In: a damaged file. Out: a proper file beside it, and a statement of what was lost. The damaged
file is left as it is. Nothing in it is trusted but a chunk that unpacks to its own checksum, so a
broken length or a lost record cannot hide what follows. One chunk is held in memory at a time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from mcap.opcode import Opcode
from mcap.records import Message

from mirror.errors import SessionError
from mirror.session.messages import DECODE, decode_header
from mirror.session.schemas import BY_NUMBER, SessionHeader, topic_number
from mirror.session.tape import Tape
from mirror.session.verify import Survey, survey
from mirror.session.walk import (
    HEAD,
    Record,
    inner,
    open_chunk,
    open_file,
    read_channel,
    read_message,
    size_of,
)

#: How a packed chunk begins: opcode, length, times, size, checksum, name of its compression.
SIGNATURE = re.compile(rb"\x06.{36}(?:\x04\x00\x00\x00zstd|\x03\x00\x00\x00lz4)", re.DOTALL)
_OVERLAP_BYTES = 64

_BLOCK_BYTES = 1 << 20
_OUT_CHUNK_BYTES = 1 << 20
_MOST_GAPS = 100


@dataclass
class Recovery:
    """What recovery found and did.

    out: the new file; None if the old one was intact. kept: messages by topic. gaps: the first
    hundred spans (from, to) with a hole, in seconds of the session. tail_bytes: behind the last
    whole chunk of a file that has no end. last_s: time of the last message kept.
    """

    path: Path
    out: Path | None = None
    kept: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    lost_messages: int = 0
    gaps: list[tuple[float, float]] = field(default_factory=list)
    tail_bytes: int = 0
    last_s: float = 0.0

    @property
    def statement(self) -> str:
        """What was lost, in words."""
        if self.out is None:
            return "intact: nothing was lost, nothing was written"
        parts = [f"{sum(self.kept.values())} messages kept, the last at {self.last_s:.2f} s"]
        if self.gaps:
            spans = ", ".join(f"{begin:.2f} and {end:.2f} s" for begin, end in self.gaps[:10])
            more = ", and more" if len(self.gaps) > 10 else ""
            parts.append(f"{self.lost_messages} lost between {spans}{more}")
        if self.broken:
            parts.append(f"{self.broken} damaged chunks left out")
        if self.tail_bytes:
            parts.append(f"the end is cut off: {self.tail_bytes} bytes behind the last whole chunk")
        return "; ".join(parts if len(parts) > 1 else [*parts, "none lost"])


def recover(path: Path, out: Path | None = None) -> Recovery:
    """Write what can be saved of a file to another; SessionError if that is nothing.

    out: a new file; left out, ``NAME.recovered.mcap`` beside the old one.
    """
    path = Path(path)
    seen = _survey(path)
    if seen.is_intact:
        return Recovery(path)
    out = Path(out) if out else path.with_name(f"{path.stem}.recovered.mcap")
    with open_file(path) as file:
        header = _find_header(file, path)
        found = Recovery(path, out)
        for _ in _save(file, path, header, found):
            pass  # walked once only to count: the statement stands at the new file's beginning
        found.tail_bytes = 0 if seen.is_closed else found.tail_bytes
        header = replace(header, recovered=found.statement)
        _write(_save(file, path, header, Recovery(path)), header, out)
    return found


def _survey(path: Path) -> Survey:
    try:
        return survey(path)
    except SessionError as error:  # its first bytes are broken; the rest may not be
        return Survey(path, flaws=[error.found])


def _write(saved: Iterator[tuple[int, Message]], header: SessionHeader, out: Path) -> None:
    try:
        tape = Tape(out, header, chunk_bytes=_OUT_CHUNK_BYTES)
    except FileExistsError as error:
        raise SessionError(str(out), "exists already", "a new file", "--out") from error
    except OSError as error:
        raise SessionError(str(out), f"cannot be written ({error.strerror})") from error
    try:
        for number, told in saved:
            tape.add(number, told.log_time, told.publish_time, told.data, told.sequence)
        tape.finish("recovered")
    except OSError as error:
        tape.drop()
        out.unlink()
        raise SessionError(str(out), f"cannot be written ({error.strerror})") from error


def _save(
    file: IO[bytes], path: Path, header: SessionHeader, found: Recovery
) -> Iterator[tuple[int, Message]]:
    """Every message that can be read, with the number of its topic; found is filled on the way."""
    sequence = 0 if header.part == 1 else -1
    for number, message in _messages(file, path, found):
        if number == 1 or 0 < message.sequence <= sequence:  # a chunk that stands there twice
            continue
        time_s = (message.log_time - header.started_ns) / 1e9
        missing = message.sequence - sequence - 1
        if sequence >= 0 and missing > 0:
            found.lost_messages += missing
            found.gaps = [*found.gaps, (found.last_s, time_s)][:_MOST_GAPS]
        sequence = message.sequence
        found.last_s = time_s
        found.kept[BY_NUMBER[number].name] += 1
        yield number, message


def _find_header(file: IO[bytes], path: Path) -> SessionHeader:
    """The first header that can be read; it is repeated through the file."""
    for number, message in _messages(file, path, Recovery(path), only=1):
        if number == 1:
            return decode_header(message.data)[0]
    found = "no whole chunk in it holds a session's header"
    raise SessionError(str(path), found, "a file recorded by mirror")


def _messages(
    file: IO[bytes], path: Path, found: Recovery, only: int = 0
) -> Iterator[tuple[int, Message]]:
    """The messages of every whole chunk; numbers of topics hold even if their record is lost."""
    topics = {number: number for number in BY_NUMBER}
    for record, plain in _chunks(file, path, found):
        try:
            for opcode, body in inner(plain, path, record.offset):
                if opcode == Opcode.CHANNEL:
                    channel = read_channel(body, path, record.offset)
                    topics[channel.id] = topic_number(channel.topic)
                elif opcode == Opcode.MESSAGE:
                    message = read_message(body, path, record.offset)
                    number = topics.get(message.channel_id, 0)
                    if number and only in (0, number) and _is_sound(number, message):
                        yield number, message
        except SessionError:
            found.broken += 1


def _is_sound(number: int, message: Message) -> bool:
    try:
        DECODE[BY_NUMBER[number].name](message.data)
    except SessionError:
        return number == 1  # a header of another format is for the caller to complain about
    return True


def _chunks(file: IO[bytes], path: Path, found: Recovery) -> Iterator[tuple[Record, bytes]]:
    """Every chunk whose checksum holds, found by its signature; the rest is passed over."""
    at = whole_end = 0
    record = _find(file, at)
    while record is not None:
        try:
            plain = open_chunk(file, path, record)
        except SessionError:
            found.broken += record.end <= size_of(file)  # else it is the cut end
            at = record.offset + 1
        else:
            at = whole_end = record.end
            yield record, plain
        record = _find(file, at)
    found.tail_bytes = size_of(file) - whole_end


def _find(file: IO[bytes], at: int) -> Record | None:
    """The next thing from ``at`` on that looks like a chunk; None if there is no more."""
    while True:
        file.seek(at)
        block = file.read(_BLOCK_BYTES)
        match = SIGNATURE.search(block)
        if match:
            opcode, length = HEAD.unpack_from(block, match.start())
            return Record(opcode, at + match.start(), length)
        if len(block) < _BLOCK_BYTES:
            return None
        at += len(block) - _OVERLAP_BYTES
