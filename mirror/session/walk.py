"""Walks an MCAP file record by record and believes nothing that it says about itself.

In: an open file. Out: records and the messages in them. Every length is held against what is left
of the file before it is read, every chunk against its checksum before it is used, and no chunk
may grow beyond 32 MiB. The mcap library's own reader would allocate what a record claims and
decompress without asking how much comes out.

All errors are ``SessionError``; ``Damage`` also says at which byte. Any thread.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Message

from mirror.errors import SessionError

MAGIC = b"\x89MCAP0\r\n"
HEAD = struct.Struct("<BQ")  # opcode, length of the body
CHUNK = struct.Struct("<QQQII")  # first time, last time, size, checksum, length of the name
MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time

#: Our own chunks hold 256 KiB, or one picture. What a reader takes at most, plain and packed.
MOST_CHUNK_BYTES = 32 << 20
MOST_RECORD_BYTES = 33 << 20

MEND = "mirror session recover"


class Damage(SessionError):
    """A file that is cut or broken; offset: the byte at which it shows."""

    def __init__(self, path: Path, offset: int, found: str, allowed: str = "") -> None:
        super().__init__(f"{path}, byte {offset}", found, allowed, MEND)
        self.offset = offset


class Cut(Damage):
    """A file that ends before its footer: the recording was killed, or the file copied in part."""


@dataclass(frozen=True)
class Record:
    """Where a record stands in the file: offset of its opcode, length of its body."""

    opcode: int
    offset: int
    length: int

    @property
    def body(self) -> int:
        """Offset of the body."""
        return self.offset + HEAD.size

    @property
    def end(self) -> int:
        """Offset of the byte after it."""
        return self.body + self.length


@dataclass(frozen=True)
class ChunkHead:
    """What a chunk says of itself. Its times are under no checksum of their own."""

    first_ns: int
    last_ns: int
    size: int
    checksum: int
    compression: str
    data: int
    length: int


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file, whatever is in it; raises SessionError."""
    try:
        if path.is_file():
            return open(path, "rb")
        found = "not a regular file" if path.exists() else "no such file"
    except (OSError, ValueError) as error:
        found = f"cannot be opened ({error})"
    raise SessionError(str(path), found, "a recorded session, an .mcap file")


def open_mcap(path: Path) -> IO[bytes]:
    """Open a file that begins with MCAP's magic; raises SessionError."""
    file = open_file(path)
    if file.read(len(MAGIC)) == MAGIC:
        return file
    file.close()
    raise SessionError(str(path), "not an MCAP file", "a recorded session, an .mcap file")


def size_of(file: IO[bytes]) -> int:
    """The file's size in bytes, now."""
    return os.fstat(file.fileno()).st_size


def is_closed_well(file: IO[bytes]) -> bool:
    """Whether the file ends with MCAP's magic, as a finished one does."""
    size = size_of(file)
    return size >= 2 * len(MAGIC) and _read(file, size - len(MAGIC), len(MAGIC)) == MAGIC


def records(file: IO[bytes], path: Path, offset: int = len(MAGIC)) -> Iterator[Record]:
    """The records of a file in order, up to its footer; raises Cut or Damage where they stop."""
    while True:
        record = _next(file, path, offset)
        yield record
        if record.opcode == Opcode.FOOTER:
            return
        offset = record.end


def _next(file: IO[bytes], path: Path, offset: int) -> Record:
    head = _read(file, offset, HEAD.size)
    left = size_of(file) - offset - HEAD.size
    if len(head) == HEAD.size:
        opcode, length = HEAD.unpack(head)
        if length <= left and opcode != 0:
            return Record(opcode, offset, length)
        claim = f"a record of kind {opcode} that claims {length} bytes where {left} are left"
    else:
        claim = "nothing more, and no footer"
    if is_closed_well(file) or left > MOST_RECORD_BYTES:
        raise Damage(path, offset, claim)
    raise Cut(path, offset, claim)


def chunk_head(file: IO[bytes], path: Path, record: Record) -> ChunkHead:
    """What a chunk claims, held against its record; raises Damage."""
    fixed = _read(file, record.body, CHUNK.size)
    if record.length < CHUNK.size + 8 or len(fixed) < CHUNK.size:
        raise Damage(path, record.offset, f"a chunk of {record.length} bytes")
    first_ns, last_ns, size, checksum, name_length = CHUNK.unpack(fixed)
    if name_length > 8:
        raise Damage(path, record.offset, f"a compression of {name_length} letters", "zstd, lz4")
    rest = _read(file, record.body + CHUNK.size, name_length + 8)
    name, length = rest[:name_length], int.from_bytes(rest[name_length:], "little")
    data = record.body + CHUNK.size + name_length + 8
    if data + length != record.end:
        raise Damage(path, record.offset, f"a chunk with {length} bytes of data in {record.length}")
    return ChunkHead(
        first_ns, last_ns, size, checksum, name.decode("ascii", "replace"), data, length
    )


def open_chunk(file: IO[bytes], path: Path, record: Record) -> bytes:
    """The records inside a chunk, unpacked; raises Damage for a bomb or a wrong checksum."""
    head = chunk_head(file, path, record)
    if head.size > MOST_CHUNK_BYTES or head.length > MOST_RECORD_BYTES:
        claim = f"a chunk that claims {head.size} bytes, {head.length} packed"
        raise Damage(path, record.offset, claim, f"at most {MOST_CHUNK_BYTES}")
    packed = _read(file, head.data, head.length)
    try:
        plain = _unpack(packed, head)
    except (zstandard.ZstdError, RuntimeError, EOFError, ValueError) as error:
        raise Damage(path, record.offset, f"a chunk that cannot be unpacked ({error})") from error
    if len(plain) != head.size:
        found = f"a chunk that claims {head.size} bytes and holds {len(plain)} or more"
        raise Damage(path, record.offset, found)
    if head.checksum not in (0, zlib.crc32(plain)):
        raise Damage(path, record.offset, "a chunk with a wrong checksum")
    return plain


def _unpack(packed: bytes, head: ChunkHead) -> bytes:
    """At most one byte more than the chunk claims, whatever its data would grow to."""
    if head.compression == "zstd":
        unpacker = zstandard.ZstdDecompressor(max_window_size=MOST_CHUNK_BYTES)
        with unpacker.stream_reader(packed) as stream:
            return bytes(stream.read(head.size + 1))
    if head.compression == "lz4":
        return bytes(lz4.frame.LZ4FrameDecompressor().decompress(packed, head.size + 1))
    if head.compression == "":
        return packed
    raise ValueError(f"compression {head.compression!r}")


def inner(plain: bytes, path: Path, offset: int) -> Iterator[tuple[int, memoryview]]:
    """Opcodes and bodies of the records inside a chunk; raises Damage when they do not fit."""
    view, at = memoryview(plain), 0
    while at < len(plain):
        if len(plain) - at < HEAD.size:
            raise Damage(path, offset, "a chunk that ends inside a record")
        opcode, length = HEAD.unpack_from(view, at)
        at += HEAD.size
        if length > len(plain) - at:
            raise Damage(path, offset, f"a record in a chunk that claims {length} bytes")
        yield opcode, view[at : at + length]
        at += length


def read_message(body: memoryview, path: Path, offset: int) -> Message:
    """A message record; raises Damage when it is too short."""
    if len(body) < MESSAGE.size:
        raise Damage(path, offset, f"a message of {len(body)} bytes")
    channel, sequence, log_ns, publish_ns = MESSAGE.unpack_from(body)
    return Message(channel, log_ns, bytes(body[MESSAGE.size :]), publish_ns, sequence)


def read_channel(body: memoryview, path: Path, offset: int) -> Channel:
    """A channel record; raises Damage when it is none."""
    try:
        return Channel.read(ReadDataStream(BytesIO(body)))
    except (struct.error, ValueError, McapError) as error:
        raise Damage(path, offset, f"a channel that cannot be read ({error})") from error


def read_body(file: IO[bytes], path: Path, record: Record) -> bytes:
    """The body of a record outside chunks; raises Damage when it is longer than any of ours."""
    if record.length > MOST_RECORD_BYTES:
        raise Damage(path, record.offset, f"a record of {record.length} bytes")
    return _read(file, record.body, record.length)


def _read(file: IO[bytes], offset: int, length: int) -> bytes:
    try:
        file.seek(offset)
        return file.read(length)
    except OSError as error:
        raise SessionError(str(file.name), f"byte {offset} cannot be read ({error})") from error
