"""Only our own recordings, in the folder itself, are ever counted or deleted."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mirror.session import forget_older, shelf
from mirror.session.almanac import NAME
from mirror.session.retention import Forgetting
from tests.recordings import room, write

MOMENTS = room(0.2)
DAY_S = 86400.0


def recorded(path: Path, days_ago: float) -> Path:
    write(path, MOMENTS)
    now_s = path.stat().st_mtime
    os.utime(path, (now_s - days_ago * DAY_S,) * 2)
    return path


def test_recordings_older_than_told_are_deleted(tmp_path: Path) -> None:
    old, new = recorded(tmp_path / "old.mcap", 31), recorded(tmp_path / "new.mcap", 29)
    assert [kept.path for kept in forget_older(tmp_path, 30)] == [old]
    assert list(tmp_path.glob("*.mcap")) == [new]


@pytest.mark.parametrize("keep_days", [0.0, -1.0])
def test_no_days_keep_everything(tmp_path: Path, keep_days: float) -> None:
    recorded(tmp_path / "old.mcap", 10_000)
    assert forget_older(tmp_path, keep_days) == []
    assert len(shelf(tmp_path)) == 1


def test_the_shelf_tells_size_and_age_oldest_first(tmp_path: Path) -> None:
    new, old = recorded(tmp_path / "a.mcap", 1), recorded(tmp_path / "b.mcap", 2)
    found = shelf(tmp_path)
    assert [kept.path for kept in found] == [old, new]
    assert [kept.bytes for kept in found] == [old.stat().st_size, new.stat().st_size]
    assert [round(kept.age_s / DAY_S, 2) for kept in found] == [2.0, 1.0]


def test_links_folders_and_files_of_others_are_never_deleted(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "recordings"
    outside.mkdir()
    folder.mkdir()
    target = recorded(outside / "target.mcap", 100)
    (folder / "link.mcap").symlink_to(target)
    (folder / "folder.mcap").mkdir()
    recorded(folder / "folder.mcap" / "inside.mcap", 100)
    (folder / "others.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(100))
    (folder / "short.mcap").write_bytes(b"\x89MCAP0\r\n\x01")
    recorded(folder / "renamed.mp4", 100)
    os.mkfifo(folder / "pipe.mcap")
    for path in folder.iterdir():
        if not path.is_symlink():
            os.utime(path, (1e9, 1e9))
    (tmp_path / "way").symlink_to(folder)
    before = [*sorted(tmp_path.rglob("*")), folder / NAME]
    assert forget_older(folder, 1) == []
    assert set(tmp_path.rglob("*")) == set(before)


def test_an_absent_folder_holds_nothing(tmp_path: Path) -> None:
    assert forget_older(tmp_path / "none", 1) == shelf(tmp_path / "none") == []


def test_a_show_that_runs_for_months_forgets_meanwhile(tmp_path: Path) -> None:
    new = recorded(tmp_path / "new.mcap", 29)
    with Forgetting(tmp_path, 30, every_s=0.05):
        recorded(tmp_path / "old.mcap", 31)
        end_s = time.monotonic() + 30
        while (tmp_path / "old.mcap").exists() and time.monotonic() < end_s:
            time.sleep(0.02)
    assert list(tmp_path.glob("*.mcap")) == [new]
