"""Turns the markers of a recording into tables: CSV for a spreadsheet, NPZ for numpy.

In: a session and a new file's name. Out: one row for each sitter at each moment. Rows are written
as they are read, so a day fits into little memory. Any thread.
"""

from __future__ import annotations

import csv
import itertools
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from mirror import MARKERS
from mirror.errors import SessionError
from mirror.session.read import Session
from mirror.session.schemas import Moment
from mirror.signals import Sitter

#: Columns before the markers: name, dtype, value.
COLUMNS: tuple[tuple[str, str, Callable[[Moment, Sitter], Any]], ...] = (
    ("time_s", "<f8", lambda moment, sitter: moment.sitters.time_s),
    ("capture_s", "<f8", lambda moment, sitter: moment.capture_s),
    ("arrival_s", "<f8", lambda moment, sitter: moment.arrival_s),
    ("wall_ns", "<i8", lambda moment, sitter: moment.wall_ns),
    ("id", "<i8", lambda moment, sitter: sitter.id),
    ("aspect", "<f8", lambda moment, sitter: sitter.aspect),
    ("presence", "<f8", lambda moment, sitter: sitter.presence),
    ("motion", "<f8", lambda moment, sitter: sitter.motion),
)

_BLOCK_ROWS = 1024


def export(session: Session, out: Path) -> int:
    """Write the markers to a new .csv or .npz file; returns the number of rows.

    CSV: the columns above, then x0, y0, z0, x1, ... in as many digits as bring back the same
    float32. NPZ: one array a column, and markers (rows, 478, 3) float32. Raises SessionError.
    """
    writers = {".csv": _write_csv, ".npz": _write_npz}
    writer = writers.get(out.suffix.lower())
    if writer is None:
        raise SessionError(str(out), "a file of another kind", ".csv, .npz or .mp4")
    try:
        with open(out, "xb") as file:
            try:
                return writer(session, file)
            except BaseException:
                out.unlink()
                raise
    except FileExistsError as error:
        raise SessionError(str(out), "exists already", "a new file") from error
    except OSError as error:
        raise SessionError(str(out), f"cannot be written ({error.strerror})") from error


def rows(session: Session) -> Iterator[tuple[Moment, Sitter]]:
    """One for each sitter at each moment."""
    for moment in session.moments():
        for sitter in moment.sitters.sitters:
            yield moment, sitter


def _write_csv(session: Session, file: IO[bytes]) -> int:
    axes = [f"{axis}{marker}" for marker in range(MARKERS) for axis in "xyz"]
    count = 0
    writer = csv.writer(_Lines(file), lineterminator="\n")
    writer.writerow([name for name, _, _ in COLUMNS] + axes)
    for moment, sitter in rows(session):
        count += 1
        told = [value(moment, sitter) for _, _, value in COLUMNS]
        writer.writerow(told + sitter.markers.ravel().astype(str).tolist())
    return count


class _Lines:
    """What the csv module writes text to, on a file of bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write a line."""
        return self._file.write(text.encode("ascii"))


def _write_npz(session: Session, file: IO[bytes]) -> int:
    count = sum(1 for _ in rows(session))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for name, dtype, value in COLUMNS:
            values = (value(moment, sitter) for moment, sitter in rows(session))
            blocks = (np.array(block, dtype) for block in _blocks(values))
            _write_array(archive, name, dtype, (count,), blocks)
        faces = (sitter.markers for _, sitter in rows(session))
        markers = (np.stack(block).astype("<f4") for block in _blocks(faces))
        _write_array(archive, "markers", "<f4", (count, MARKERS, 3), markers)
    return count


def _blocks(values: Iterator[Any]) -> Iterator[list[Any]]:
    while True:
        block = list(itertools.islice(values, _BLOCK_ROWS))
        if not block:
            return
        yield block


def _write_array(
    archive: zipfile.ZipFile,
    name: str,
    dtype: str,
    shape: tuple[int, ...],
    blocks: Iterator[np.ndarray[Any, Any]],
) -> None:
    """One member of an NPZ, as numpy.save writes it, block by block."""
    told = {"descr": dtype, "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, told)
        for block in blocks:
            member.write(np.ascontiguousarray(block).tobytes())
