"""Opening hours: what a line says, at every minute; and the porter who goes by it."""

from __future__ import annotations

import datetime
import os
import time

import pytest

from mirror import clock as time_of
from mirror.control.porter import Porter
from mirror.errors import SettingsError
from mirror.settings import HoursSettings
from mirror.site.hours import is_open, spans
from mirror.site.site import settings_from

#: A Monday.
MONDAY = datetime.datetime(2026, 3, 2)


def at(day: int, hour: int, minute: int = 0) -> datetime.datetime:
    """A time in a week that begins on Monday, day 0."""
    return MONDAY + datetime.timedelta(days=day, hours=hour, minutes=minute)


FACTS = [
    ("", 6, 3, True),
    ("10:00-18:00", 0, 10, True),
    ("10:00-18:00", 0, 18, False),
    ("Tu-Su 10:00-18:00", 0, 12, False),
    ("Tu-Su 10:00-18:00", 6, 17, True),
    ("Tu-Su 10:00-18:00; Th 10:00-21:00", 3, 20, True),
    ("Tu-Su 10:00-18:00; Th 10:00-21:00", 4, 20, False),
    ("Fr, Sa 18:00-2:00", 5, 1, True),
    ("Fr,Sa 18:00 - 2:00", 6, 1, True),
    ("Fr,Sa 18:00-2:00", 6, 2, False),
    ("Su 20:00-3:00", 0, 2, True),
    ("Sa-Mo 9:00-10:00", 0, 9, True),
    ("saturday-monday 9:00-10:00", 1, 9, False),
    ("0:00-24:00", 2, 23, True),
]


@pytest.mark.parametrize(("text", "day", "hour", "so"), FACTS)
def test_it_is_open_when_the_line_says_so(text: str, day: int, hour: int, so: bool) -> None:
    assert is_open(spans(text), at(day, hour)) is so


@pytest.mark.parametrize(
    "text", ["ten to six", "10-18", "10:00", "10:00-25:00", "10:61-18:00", "Xy 10:00-18:00"]
)
def test_a_line_that_nobody_can_read_is_refused_where_it_stands(text: str) -> None:
    with pytest.raises(SettingsError, match=r"\[hours\] open"):
        settings_from({"hours": {"open": text}})


class Wall:
    """A clock on the wall, and the seconds that really pass."""

    def __init__(self, now: datetime.datetime) -> None:
        self.now, self.passed_s = now, 0.0

    def goes(self, seconds: float) -> None:
        self.now += datetime.timedelta(seconds=seconds)
        self.passed_s += seconds


def looks(porter: Porter, wall: Wall, asked: str = "hours", piece: str = "river") -> str:
    wall.goes(1.0)
    return porter.look(wall.passed_s, asked, piece)


def test_the_porter_closes_to_the_dark_and_opens_again() -> None:
    wall = Wall(at(1, 17, 59))
    porter = Porter(HoursSettings(open="10:00-18:00"), lambda: wall.now)
    assert (looks(porter, wall), porter.dark) == ("river", False)
    wall.goes(60)
    assert (looks(porter, wall), porter.dark) == ("river", True)
    wall.goes(16 * 3600)
    assert (looks(porter, wall), porter.dark) == ("river", False)


def test_the_porter_leaves_passersby_over_night() -> None:
    wall = Wall(at(1, 12))
    porter = Porter(HoursSettings(open="10:00-18:00", closing="passersby"), lambda: wall.now)
    assert looks(porter, wall, piece="uncanny") == "uncanny"
    wall.goes(7 * 3600)
    assert looks(porter, wall, piece="uncanny") == "passersby"
    assert not porter.dark
    assert looks(porter, wall, piece="passersby") == "passersby"
    assert porter.by_day("passersby") == "uncanny"
    wall.goes(16 * 3600)
    assert looks(porter, wall, piece="passersby") == "uncanny"


def test_show_control_beats_the_hours() -> None:
    wall = Wall(at(1, 12))
    porter = Porter(HoursSettings(open="10:00-18:00"), lambda: wall.now)
    for asked, dark in (("closed", True), ("hours", False), ("open", False)):
        looks(porter, wall, asked)
        assert porter.dark is dark
    wall.goes(8 * 3600)
    looks(porter, wall, "open")
    assert porter.open


@pytest.mark.parametrize("years", [-1, 1])
def test_a_clock_that_jumps_a_year_is_right_a_second_later(years: int) -> None:
    wall = Wall(at(1, 12))
    porter = Porter(HoursSettings(open="10:00-18:00"), lambda: wall.now)
    looks(porter, wall)
    wall.now = wall.now.replace(year=wall.now.year + years, hour=20)
    looks(porter, wall)
    assert porter.dark
    wall.now = at(1, 12)
    looks(porter, wall)
    assert porter.open


def test_a_change_of_time_zone_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    before = os.environ.get("TZ")
    for zone in ("UTC0", "XYZ-9"):
        monkeypatch.setenv("TZ", zone)
        told.append(time_of.local_now())
    if before is None:
        monkeypatch.delenv("TZ")
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()
    assert (told[1] - told[0]).total_seconds() == pytest.approx(9 * 3600, abs=5)
