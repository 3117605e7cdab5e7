"""Files that were cut, damaged or made to hurt: a clear error or a stated recovery, never more."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from mcap.data_stream import RecordBuilder
from mcap.records import Channel, Chunk, Header, Message
from mcap.writer import Writer

from mirror.errors import SessionError
from mirror.session import open_session, recover, survey
from mirror.session.export import export
from mirror.session.messages import encode_header
from mirror.session.recover import SIGNATURE, Recovery
from mirror.session.walk import MAGIC
from tests.recordings import BEGAN_NS, HEADER, bits, room, write

MOMENTS = room(4.0)
ALL = [bits(sitters) for sitters in MOMENTS]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("sessions") / "whole.mcap", MOMENTS).read_bytes()


def read(path: Path) -> list[Any]:
    return [bits(sitters) for sitters in open_session(path).sitters()]


def mend(path: Path) -> tuple[Recovery, list[Any]]:
    """Recover a file, hold the new one to its checksums, and read it."""
    found = recover(path)
    assert found.out is not None
    assert survey(found.out).flaws == []
    assert open_session(found.out).header.recovered == found.statement
    kept = [bits(m.sitters) for m in open_session(found.out).moments()]
    found.out.unlink()
    return found, kept


def test_a_cut_file_is_read_up_to_the_cut_and_mended(whole: bytes, tmp_path: Path) -> None:
    lot, path = random.Random(1), tmp_path / "cut.mcap"
    for _ in range(20):
        at = lot.randrange(3000, len(whole) - 1)
        path.write_bytes(whole[:at])
        assert not survey(path).is_intact
        seen = read(path)
        assert seen == ALL[: len(seen)]
        found, kept = mend(path)
        assert kept == seen
        if seen != ALL:
            assert "cut off" in found.statement
            # whatever lies more than a chunk before the cut is there
            assert len(kept) >= len(ALL) * at / len(whole) - 20


def test_no_flipped_bit_goes_unnoticed_or_costs_more_than_a_chunk(
    whole: bytes, tmp_path: Path
) -> None:
    lot, path = random.Random(2), tmp_path / "flipped.mcap"
    for _ in range(40):
        damaged = bytearray(whole)
        at = lot.randrange(len(MAGIC), len(damaged))
        damaged[at] ^= 1 << lot.randrange(8)
        path.write_bytes(damaged)
        assert survey(path).flaws != [], at
        try:
            assert read(path) == ALL
        except SessionError as error:
            assert "mirror session recover" in str(error)
        _, kept = mend(path)
        known = {moment[0]: moment for moment in ALL}
        changed = [k for k in kept if k[3] != known[k[0]][3]]
        assert (changed, len(kept) >= len(ALL) - 8) == ([], True), at


def test_a_damaged_beginning_is_no_end(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "headless.mcap"
    path.write_bytes(bytes(2500) + whole[2500:])
    with pytest.raises(SessionError, match="not an MCAP file"):
        open_session(path)
    kept = mend(path)[1]
    assert len(kept) >= len(ALL) - 8


def test_the_gap_that_damage_left_is_told_with_its_time(whole: bytes, tmp_path: Path) -> None:
    damaged, path = bytearray(whole), tmp_path / "hole.mcap"
    damaged[len(whole) // 2] ^= 1
    path.write_bytes(damaged)
    found, kept = mend(path)
    (begin_s, end_s), times = found.gaps[0], np.array([moment[0] for moment in kept])
    hashes = len(ALL) // 30
    assert found.lost_messages == len(ALL) - len(kept) + hashes - found.kept["/river"]
    assert times[np.abs(times - begin_s).argmin() + 1] == pytest.approx(end_s)
    assert f"{begin_s:.2f} and {end_s:.2f} s" in found.statement


def test_who_is_there_after_a_gap_has_arrived(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gap.mcap"
    chunks = [found.start() for found in SIGNATURE.finditer(whole)]
    assert len(chunks) > 10
    for at in chunks[2:-1:2]:
        damaged = bytearray(whole)
        damaged[at + 100] ^= 1
        path.write_bytes(damaged)
        _, kept = mend(path)
        present: set[int] = set()
        for _, arrived, left, sitters in kept:
            present = (present | set(arrived)) - set(left)
            assert {sitter[0] for sitter in sitters} == present


def test_a_chunk_that_stands_there_twice_is_taken_once(whole: bytes, tmp_path: Path) -> None:
    begin, end = (found.start() for found in list(SIGNATURE.finditer(whole))[3:5])
    path = tmp_path / "twice.mcap"
    path.write_bytes(whole[:end] + whole[begin:end] + whole[end:])
    assert any("follows message" in flaw for flaw in survey(path).flaws)
    _, kept = mend(path)
    assert kept == ALL


def test_an_intact_file_is_left_alone(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "good.mcap"
    path.write_bytes(whole)
    found = recover(path)
    assert (found.out, "intact" in found.statement) == (None, True)
    assert list(tmp_path.iterdir()) == [path]


def test_recovery_overwrites_nothing(whole: bytes, tmp_path: Path) -> None:
    path, taken = tmp_path / "cut.mcap", tmp_path / "cut.recovered.mcap"
    path.write_bytes(whole[:-100])
    taken.write_bytes(b"mine")
    with pytest.raises(SessionError, match="exists already"):
        recover(path)
    assert taken.read_bytes() == b"mine"


def test_what_was_mended_stays_mended(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.mcap"
    path.write_bytes(whole[: len(whole) // 2])
    found = recover(path)
    assert found.out is not None
    assert recover(found.out).out is None


@pytest.mark.parametrize("content", [b"", b"\x89MC", b"not a recording", MAGIC, MAGIC + bytes(99)])
def test_what_is_no_session_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.mcap"
    path.write_bytes(content)
    for reading in (open_session, recover):
        with pytest.raises(SessionError, match=r"odd\.mcap"):
            reading(path)


def test_no_file_and_no_regular_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="no such file"):
        open_session(tmp_path / "none.mcap")
    with pytest.raises(SessionError, match="not a regular file"):
        survey(tmp_path)


def made(path: Path, *records: bytes) -> Path:
    """An MCAP file of such records, without an end."""
    builder = RecordBuilder()
    Header("mirror-session", "test").write(builder)
    path.write_bytes(MAGIC + builder.end() + b"".join(records))
    return path


def told(data: bytes, number: int = 1) -> bytes:
    """A channel and a message on it, outside any chunk."""
    builder = RecordBuilder()
    Channel(number, "/session", "json", {}, 0).write(builder)
    Message(number, BEGAN_NS, data, BEGAN_NS, 0).write(builder)
    return builder.end()


def packed(plain: bytes, claims: int | None = None, compressed: bytes | None = None) -> bytes:
    builder = RecordBuilder()
    Chunk(
        "zstd", zstandard.compress(plain) if compressed is None else compressed, BEGAN_NS,
        BEGAN_NS, zlib.crc32(plain), len(plain) if claims is None else claims,
    ).write(builder)  # fmt: skip
    return builder.end()


BOMB = """
import sys, pathlib, logging
from mirror.errors import SessionError
from mirror.session import open_session, recover, survey
path = pathlib.Path(sys.argv[1])
for reading in (lambda p: list(open_session(p).sitters()), recover):
    try:
        reading(path)
        print("read")
    except SessionError as error:
        print(error)
print(survey(path).flaws)
status = pathlib.Path("/proc/self/status").read_text()  # getrusage counts the parent before exec
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.parametrize("claims", [512 << 20, 1000])
def test_a_chunk_that_would_grow_to_half_a_gigabyte_is_not_unpacked(
    claims: int, tmp_path: Path
) -> None:
    squeezer = zstandard.ZstdCompressor(level=1).compressobj()
    bomb = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(512)) + squeezer.flush()
    path = made(tmp_path / "bomb.mcap", packed(b"", claims, bomb))
    assert path.stat().st_size < 100_000
    ran = subprocess.run(
        [sys.executable, "-c", BOMB, str(path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    *lines, memory_mb = ran.stdout.splitlines()
    assert f"claims {claims} bytes" in lines[0]
    assert int(memory_mb) < 300


def test_a_record_that_claims_four_gigabytes_is_not_read(tmp_path: Path) -> None:
    for opcode in (5, 6, 9, 12):
        path = made(tmp_path / "huge.mcap", told(encode_header(HEADER, "begin")))
        with open(path, "ab") as file:
            file.write(struct.pack("<BQ", opcode, 1 << 32) + bytes(1000))
        assert any("claims 4294967296 bytes" in flaw for flaw in survey(path).flaws)
        assert list(open_session(path).sitters()) == []


def test_a_chunk_whose_data_claims_more_than_the_chunk_has_is_refused(tmp_path: Path) -> None:
    chunk = bytearray(packed(told(encode_header(HEADER, "begin"))))
    chunk[45:53] = struct.pack("<Q", 1 << 40)
    path = made(tmp_path / "liar.mcap", bytes(chunk))
    with pytest.raises(SessionError, match="a chunk with 1099511627776 bytes"):
        open_session(path)


def test_a_name_in_a_file_is_never_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "deeper"
    folder.mkdir(parents=True)
    with open(folder / "named.mcap", "wb") as file:
        writer = Writer(file)
        writer.start("mirror-session", "test")
        writer.add_attachment(0, 0, "../../evil.txt", "text/plain", b"evil")
        number = writer.register_schema("../../evil", "jsonschema", b"{}")
        channel = writer.register_channel("/session", "json", number)
        writer.add_message(channel, BEGAN_NS, encode_header(HEADER, "begin"), BEGAN_NS)
        writer.flush()  # and no end: recovery has something to do
    assert survey(folder / "named.mcap").attachments == 1
    assert recover(folder / "named.mcap").out == folder / "named.recovered.mcap"
    assert export(open_session(folder / "named.mcap"), folder / "named.npz") == 0
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"named.mcap", "named.recovered.mcap", "named.npz"}


@pytest.mark.parametrize("number", [0, 2])
def test_a_session_of_another_format_is_refused_with_its_number(
    number: int, tmp_path: Path
) -> None:
    header = encode_header(HEADER, "begin").replace(b'"format":1', b'"format":%d' % number)
    path = made(tmp_path / "old.mcap", packed(told(header)))
    for reading in (open_session, recover):
        with pytest.raises(SessionError, match=f"format {number}; allowed: format 1"):
            reading(path)
    assert any(f"format {number}" in flaw for flaw in survey(path).flaws)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"format":1e999}',
        b'{"format":1,"state":"begin"}',
        b"\xff\xfe",
        b'{"format":[1]}',
        b" " * 2_000_000,
    ],
    ids=range(10),
)
def test_messages_made_to_hurt_are_refused_in_words(data: bytes, tmp_path: Path) -> None:
    path = made(tmp_path / "hurt.mcap", packed(told(data)))
    with pytest.raises(SessionError, match=r"/session message|mirror session recover"):
        open_session(path)
    assert survey(path).flaws != []


def test_the_header_is_repeated_every_minute(tmp_path: Path) -> None:
    moments = [replace(sitters, time_s=3.0 * n) for n, sitters in enumerate(MOMENTS[:60])]
    path = write(tmp_path / "long.mcap", moments)
    damaged = bytearray(path.read_bytes())
    damaged[: damaged.index(b"zstd") + 40] = bytes(damaged.index(b"zstd") + 40)
    path.write_bytes(damaged[: len(damaged) * 3 // 4])
    kept = mend(path)[1]
    assert len(kept) > 30
