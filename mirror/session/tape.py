"""One file of a recording, while it is written: an MCAP file that a kill cannot spoil.

In: messages as bytes. Out: a file that grows by whole, checksummed chunks. What was flushed is
on the file system whole or, after a failed write, cut back to the last whole chunk. One thread
owns a tape.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, cast

from mcap.writer import CompressionType, Writer

from mirror.session.messages import encode_header
from mirror.session.schemas import FORMAT, PROFILE, TOPICS, SessionHeader

#: A chunk ends when it holds so much, or when the tape is flushed.
CHUNK_BYTES = 256 * 1024

MOST_HELD_BYTES = 1 << 20

#: The header is repeated after so much of the session, so that it outlives a damaged beginning.
HEADER_EVERY_NS = 60 * 10**9


class Growing:
    """A new file that nobody else may read, written in one go at each flush.

    It never overwrites: raises FileExistsError. A failed flush raises OSError and leaves the file
    as it was after the flush before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._held = bytearray()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Hold whole records until the next flush, or until there is much to hold."""
        self._held += data
        if len(self._held) > MOST_HELD_BYTES:
            self.flush()
        return len(data)

    def tell(self) -> int:
        """Where the next byte will stand."""
        return self.size + len(self._held)

    def flush(self) -> None:
        """Write what is held; OSError if the file system refuses."""
        held, self._held = memoryview(bytes(self._held)), bytearray()
        try:
            written = 0
            while written < len(held):
                written += self._file.write(held[written:]) or 0
        except OSError:
            self._file.truncate(self.size)
            self._file.seek(self.size)
            raise
        self.size += len(held)

    def sync(self) -> None:
        """Wait until the disk itself has what was flushed."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; what was not flushed is dropped."""
        self._file.close()


class Tape:
    """One MCAP file of a session. A context manager: a clean end writes the footer and index.

    path: a new file; OSError if it cannot be made. header: told at the begin, every minute of the
    session and at the end. begin_ns: session time as wall clock at which this file begins.
    """

    def __init__(
        self,
        path: Path,
        header: SessionHeader,
        begin_ns: int | None = None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self.header = header
        self._last_ns = header.started_ns if begin_ns is None else begin_ns
        self._file = Growing(path)
        try:
            self._writer = Writer(
                cast("IO[bytes]", self._file),
                chunk_bytes,
                CompressionType.ZSTD,
                enable_data_crcs=True,
            )
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def _begin(self) -> None:
        self._writer.start(PROFILE, f"mirror {self.header.version}")
        about = {"format": str(FORMAT), "pictures": "yes" if self.header.pictures else "no"}
        if self.header.recovered:
            about["recovered"] = self.header.recovered
        self._writer.add_metadata(PROFILE, about)
        for topic in TOPICS if self.header.pictures else TOPICS[:4]:
            schema = _schema_bytes(topic.schema)
            number = self._writer.register_schema(topic.schema_name, "jsonschema", schema)
            assert (
                number == topic.number == self._writer.register_channel(topic.name, "json", number)
            )
        self._tell_header("begin")
        self.flush()

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def size(self) -> int:
        """Bytes in the file, and those that the next flush will add at most."""
        return self._file.tell()

    def add(self, number: int, log_ns: int, publish_ns: int, data: bytes, sequence: int) -> None:
        """Add a message to the topic of that number; it is on disk after the next flush.

        log_ns: session time as wall clock. publish_ns: wall clock of what the message tells of.
        sequence: counts the messages of a recording, so that a missing one is noticed.
        """
        self._last_ns = max(self._last_ns, log_ns)
        if self._last_ns - self._header_ns >= HEADER_EVERY_NS:
            self._tell_header("again")
        self._writer.add_message(number, max(0, log_ns), data, max(0, publish_ns), sequence)

    def _tell_header(self, state: str, reason: str = "") -> None:
        self._header_ns = self._last_ns
        data = encode_header(self.header, state, reason)
        self._writer.add_message(1, max(0, self._last_ns), data, max(0, self._last_ns))

    def flush(self) -> None:
        """End the chunk in progress and write it; OSError if the disk is full or gone."""
        self._writer.flush()

    def sync(self) -> None:
        """Wait until the disk itself has what was flushed."""
        self._file.sync()

    def finish(self, reason: str = "closed") -> None:
        """Write header, index and footer, and close the file; OSError if the disk refuses."""
        try:
            self._tell_header("end", reason)
            self._writer.finish()
            self._file.flush()
            self._file.sync()
        finally:
            self._file.close()

    def drop(self) -> None:
        """Close the file as it is, without index and footer."""
        self._file.close()

    def __enter__(self) -> Tape:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.finish()
        else:
            self.drop()


def _schema_bytes(schema: dict[str, object]) -> bytes:
    return json.dumps(schema, separators=(",", ":"), sort_keys=True).encode()
