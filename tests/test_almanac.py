"""A clock that leaps deletes no recordings, and a clock that is right still does."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from mirror import clock
from mirror.session import forget_older
from mirror.session.almanac import DAY_S, DOUBT_S, LEAP_S, NAME, Almanac, doubted_until_s, look_up
from tests.recordings import room, write

NOW_S = 1_800_000_000.0
YEAR_S = 365 * DAY_S


class Wall:
    """A wall clock that can be set, and a folder with recordings of some ages, in days."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.now_s = folder, NOW_S
        monkeypatch.setattr(clock, "utc_now", self._utc_now)

    def _utc_now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.now_s, datetime.timezone.utc)

    def record(self, name: str, days_ago: float = 0.0) -> None:
        path = write(self.folder / name, MOMENTS)
        os.utime(path, (self.now_s - days_ago * DAY_S,) * 2)

    def start(self, keep_days: float = 30.0) -> list[str]:
        """What a start of the program leaves."""
        forget_older(self.folder, keep_days)
        return sorted(path.name for path in self.folder.glob("*.mcap"))


MOMENTS = room(0.1)


@pytest.fixture
def wall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(tmp_path, monkeypatch)


def test_a_clock_a_year_ahead_deletes_nothing_for_days(wall: Wall) -> None:
    wall.record("new.mcap", 1)
    wall.record("old.mcap", 29)
    assert wall.start() == ["new.mcap", "old.mcap"]
    wall.now_s += YEAR_S
    for _ in range(int(DOUBT_S / 3600)):
        assert wall.start() == ["new.mcap", "old.mcap"]
        wall.now_s += 3600
    wall.now_s += 3600
    assert wall.start() == []  # it has stood there for so long that somebody must have seen it


def test_a_clock_that_was_put_right_is_believed_at_once(wall: Wall) -> None:
    wall.record("old.mcap", 29)
    assert wall.start() == ["old.mcap"]
    wall.now_s += YEAR_S
    assert wall.start() == ["old.mcap"]
    wall.now_s -= YEAR_S
    assert wall.start() == ["old.mcap"]
    wall.now_s += 2 * DAY_S
    assert wall.start() == []


def test_a_long_weekend_is_no_leap(wall: Wall) -> None:
    wall.record("old.mcap", 28)
    assert wall.start() == ["old.mcap"]
    wall.now_s += LEAP_S - 3600
    assert wall.start() == []


def test_after_a_summer_of_rest_what_is_too_old_goes_some_days_later(wall: Wall) -> None:
    wall.record("old.mcap", 1)
    assert wall.start() == ["old.mcap"]
    wall.now_s += 90 * DAY_S
    assert wall.start() == ["old.mcap"]
    wall.now_s += DOUBT_S  # switched on for an hour then, or for all of it
    assert wall.start() == []


def test_a_folder_that_nobody_looked_at_says_nothing_against_the_clock(wall: Wall) -> None:
    wall.record("old.mcap", 31)
    wall.record("new.mcap", 1)
    assert wall.start() == ["new.mcap"]


def test_a_recording_from_the_future_counts_from_now_on(wall: Wall) -> None:
    """Made by a clock a year ahead that was put right since: else it would stay for a year more."""
    wall.record("tomorrow.mcap", -1)
    wall.record("future.mcap", -365)
    assert wall.start() == ["future.mcap", "tomorrow.mcap"]
    made_s = {path.name: path.stat().st_mtime - NOW_S for path in wall.folder.glob("*.mcap")}
    assert made_s == {"future.mcap": 0.0, "tomorrow.mcap": DAY_S}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seen_s": "x"}', '{"seen_s": NaN}', '{"a": 1}'])
def test_an_almanac_that_cannot_be_read_is_begun_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    assert doubted_until_s(tmp_path, NOW_S) is None
    assert look_up(tmp_path, NOW_S) is None
    assert look_up(tmp_path, NOW_S + YEAR_S) == NOW_S + YEAR_S + DOUBT_S


def test_looking_without_remembering_changes_nothing(tmp_path: Path) -> None:
    look_up(tmp_path, NOW_S)
    before = (tmp_path / NAME).read_bytes()
    assert doubted_until_s(tmp_path, NOW_S + YEAR_S) == NOW_S + YEAR_S + DOUBT_S
    assert (tmp_path / NAME).read_bytes() == before


def test_no_folder_is_made_and_one_that_cannot_be_written_is_no_end(tmp_path: Path) -> None:
    assert look_up(tmp_path / "none", NOW_S) is None
    assert not (tmp_path / "none").exists()
    (tmp_path / f"{NAME}.part").mkdir()
    assert look_up(tmp_path, NOW_S) is None


def test_a_clock_set_right_by_minutes_stays_as_believed_as_it_was() -> None:
    doubted = Almanac(NOW_S, NOW_S - DAY_S)
    assert doubted.later(NOW_S - 600) == Almanac(NOW_S - 600, NOW_S - DAY_S)
    assert Almanac(NOW_S).later(NOW_S - 600) == Almanac(NOW_S - 600)
