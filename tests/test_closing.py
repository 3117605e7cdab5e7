"""A show at night: dark, or passers-by; and it looks at nobody."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import cv2
import pytest

from mirror.clock import local_now
from mirror.options import RunOptions
from mirror.settings import HoursSettings, RiverSettings, Settings
from mirror.show.run import run
from mirror.status.vitals import Vitals
from mirror.watch.interrupts import stop_on_signal

SETTINGS = Settings(river=RiverSettings(parcels=12))


def hours(closed: bool, closing: str) -> HoursSettings:
    """Opening hours that hold now, or only half a day later."""
    start = local_now() + datetime.timedelta(hours=12 if closed else -1)
    end = start + datetime.timedelta(hours=2)
    return HoursSettings(f"{start:%H:%M}-{end:%H:%M}", closing)


def shown(
    at_night: HoursSettings, still: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, Any], list[Vitals], float]:
    """A run of a few seconds: its report, its vital signs, how light its last picture is."""
    seen: list[Vitals] = []

    def begin(stop):  # type: ignore[no-untyped-def]
        stop.__self__.rig.pulse.listen(seen.append)
        return stop_on_signal(stop)

    monkeypatch.setattr("mirror.show.run.stop_on_signal", begin)
    monkeypatch.setattr("mirror.show.plan.list_devices", list)
    told = run(
        dataclasses.replace(SETTINGS, hours=at_night),
        RunOptions(screen="offscreen", size=(64, 36), seconds=6.0, still=still),
    )
    return told, seen, float(cv2.imread(str(still)).mean())


def test_closed_it_is_dark_from_the_first_picture_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, seen, light = shown(hours(True, "dark"), tmp_path / "a.png", monkeypatch)
    assert light == 0.0
    assert seen[-1].opening == "closed"
    assert seen[-1].resting
    assert seen[-1].camera == "paused"
    assert told["visits"] == []
    assert 5 < told["frames"] < 120  # few pictures, but enough for the supervisor


def test_closed_with_passersby_the_piece_changes_and_nobody_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _told, seen, light = shown(hours(True, "passersby"), tmp_path / "a.png", monkeypatch)
    assert light > 1.0
    assert (seen[0].piece, seen[-1].piece) == ("river", "passersby")
    assert seen[-1].camera == "paused"
    assert seen[-1].opening != "open"


def test_open_nothing_is_different(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _told, seen, light = shown(hours(False, "dark"), tmp_path / "a.png", monkeypatch)
    assert light > 1.0
    assert {each.opening for each in seen} == {"open"}
    assert seen[-1].camera == "session"
