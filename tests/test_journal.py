"""The log on disk: JSON lines, the first of each and then counts, and a disk that refuses."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mirror.clock import SteppedClock
from mirror.errors import SettingsError
from mirror.settings import LogSettings
from mirror.status.journal import MOST_KINDS, MOST_WAITING, NAME, Journal, Lines, keep_journal

log = logging.getLogger("mirror.a_stage")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text(encoding="utf-8").splitlines()]


def test_a_line_is_an_object_with_time_level_stage_and_text(tmp_path: Path) -> None:
    with ExitStack() as stack:
        journal = keep_journal(LogSettings(folder=str(tmp_path / "a" / "b")), stack)
        log.info("the camera has %d eyes: \n %s", 2, "äöü")
        try:
            raise ValueError("of no value")
        except ValueError:
            log.exception("it failed")
        log.debug("nobody reads this")
    first, second, third = lines(tmp_path / "a" / "b")
    assert first["text"].startswith("mirror ")
    assert second.keys() == {"time", "level", "stage", "text"}
    assert (second["level"], second["stage"]) == ("info", "mirror.a_stage")
    assert second["text"] == "the camera has 2 eyes: \n äöü"
    assert second["time"].endswith("Z")
    assert "ValueError: of no value" in third["trace"]
    assert journal.counts == {"info": 2, "error": 1}


def test_the_same_line_again_is_counted(tmp_path: Path) -> None:
    clock = SteppedClock()
    with Journal(LogSettings(folder=str(tmp_path), repeat_s=60.0), clock):
        for n in range(1000):
            log.warning("fault number %d", n)
            clock.sleep_s(0.1)
        log.warning("another one")
    told = lines(tmp_path)
    assert [line["text"] for line in told] == [
        "fault number 0", "fault number 600", "another one", "fault number 999",
    ]  # fmt: skip
    assert [line.get("times") for line in told] == [None, 600, None, 399]


def test_more_kinds_of_lines_than_it_knows_take_no_more_memory(tmp_path: Path) -> None:
    with Journal(LogSettings(folder=str(tmp_path))) as journal:
        for n in range(MOST_KINDS + 200):
            logging.getLogger(f"mirror.stage{n}").warning("the same")
            if n % 50 == 0:
                time.sleep(0.01)
        assert len(journal._kinds) == MOST_KINDS
    assert len(lines(tmp_path)) + journal.counts["lost"] == MOST_KINDS + 200


def test_a_full_log_goes_on_in_a_new_file_and_the_oldest_goes(tmp_path: Path) -> None:
    lines = Lines(tmp_path, 1000, 3)
    for n in range(100):
        lines.write(f"{n:03d} " + "x" * 95)
    lines.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME, f"{NAME}.1", f"{NAME}.2"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    kept = [
        line[:3]
        for name in (f"{NAME}.2", f"{NAME}.1", NAME)
        for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()
    ]
    assert kept == [f"{n:03d}" for n in range(100 - len(kept), 100)]
    assert len(kept) > 20


def test_one_file_alone_begins_anew(tmp_path: Path) -> None:
    lines = Lines(tmp_path, 300, 1)
    for n in range(20):
        lines.write(f"{n:03d} " + "x" * 95)
    lines.close()
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).stat().st_size <= 300


def test_a_disk_that_refuses_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """/dev/full says what a full disk says."""
    (tmp_path / NAME).symlink_to("/dev/full")
    with Journal(LogSettings(folder=str(tmp_path))) as journal:
        for n in range(20):
            logging.getLogger(f"mirror.stage{n}").warning("a line")
        end_s = time.monotonic() + 30
        while not journal.counts["lost"] and time.monotonic() < end_s:
            time.sleep(0.01)
    assert journal.counts["lost"] == 20
    told = [line for line in capsys.readouterr().err.splitlines() if "the log" in line]
    assert told == ["the log cannot be written (No space left on device); the show goes on"]


def test_a_disk_that_hangs_stops_nobody(tmp_path: Path) -> None:
    """A pipe that nobody reads: opening it to write takes for ever."""
    os.mkfifo(tmp_path / NAME)
    journal = Journal(LogSettings(folder=str(tmp_path)))
    with journal:
        start_s = time.monotonic()
        for n in range(3 * MOST_WAITING):
            logging.getLogger("mirror").warning("line %d", n)
            logging.getLogger(f"mirror.stage{n % 5000}").warning("a line")
        spent_s = time.monotonic() - start_s
        hangs = any(thread.name == "journal" for thread in threading.enumerate())
        assert journal.counts["lost"] > 0
        reader = os.open(tmp_path / NAME, os.O_RDONLY | os.O_NONBLOCK)  # lets the thread go
    os.close(reader)
    assert hangs
    assert spent_s < 30


def test_without_a_folder_lines_are_only_counted(tmp_path: Path) -> None:
    with Journal(LogSettings()) as journal:
        log.warning("a line")
    assert journal.counts == {"warning": 1}


def test_stderr_tells_what_it_told_before(tmp_path: Path) -> None:
    root, ours = logging.getLogger(), logging.getLogger("mirror")
    handler = logging.StreamHandler(sys.stderr)
    before = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.WARNING)
    try:
        with Journal(LogSettings(folder=str(tmp_path))):
            assert handler.level == logging.WARNING
            assert ours.isEnabledFor(logging.INFO)
        assert (ours.level, handler.level) == (logging.WARNING, logging.NOTSET)
    finally:
        root.removeHandler(handler)
        ours.setLevel(before)


def test_a_folder_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot be made"):
        Journal(LogSettings(folder=str(tmp_path / "file" / "log")))
