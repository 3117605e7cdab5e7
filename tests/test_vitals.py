"""Vital signs: one set after each presented picture, readable from anywhere, harmful to nobody."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from rooms import visit, write_film

from mirror.clock import SteppedClock
from mirror.options import RunOptions
from mirror.settings import RiverSettings, Settings
from mirror.show.run import run
from mirror.show.show import Show
from mirror.status.vitals import RESTARTS, LastWords, Pulse, Vitals
from mirror.watch.interrupts import stop_on_signal


def test_a_beat_counts_a_picture_and_keeps_what_was_not_told_anew(clock: SteppedClock) -> None:
    pulse = Pulse(clock, piece="river")
    before = pulse.newest
    clock.sleep_s(1.0)
    pulse.beat(sitters=2)
    told = pulse.beat(camera="running")
    assert (before.pictures, told.pictures, told.at_s) == (0, 2, 1.0)
    assert (told.piece, told.sitters, told.camera) == ("river", 2, "running")
    assert pulse.newest is told


@pytest.mark.parametrize("rate_hz", [2.0, 10.0, 60.0])
def test_pictures_a_second_are_those_of_the_last_seconds(
    rate_hz: float, clock: SteppedClock
) -> None:
    pulse = Pulse(clock)
    for n in range(400):
        clock.sleep_s(1 / (7.0 if n < 200 else rate_hz))
        pulse.beat()
    assert pulse.newest.fps == pytest.approx(rate_hz, rel=0.01)


def test_a_listener_that_raises_is_left_out_and_the_others_still_hear(
    clock: SteppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    pulse, heard = Pulse(clock), []

    def bad(vitals: Vitals) -> None:
        heard.append("bad")
        raise RuntimeError("no such page")

    pulse.listen(bad)
    pulse.listen(lambda vitals: heard.append(vitals.pictures))
    pulse.beat()
    pulse.beat()
    assert heard == ["bad", 1, 2]
    assert len(caplog.records) == 1


def test_vital_signs_are_one_line_of_json(clock: SteppedClock) -> None:
    line = Pulse(clock, weights={"panel": "ab"}).beat(stage_ms={"river": 0.5}).as_json()
    assert "\n" not in line
    told = json.loads(line)
    assert (told["weights"], told["stage_ms"], told["pictures"]) == (
        {"panel": "ab"},
        {"river": 0.5},
        1,
    )


def test_restarts_come_from_the_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RESTARTS, "7")
    assert Pulse().newest.restarts == 7
    monkeypatch.setenv(RESTARTS, "many")
    assert Pulse().newest.restarts == 0


def test_the_last_warning_is_kept_and_a_remark_is_not() -> None:
    words, logger = LastWords(), logging.getLogger("test_vitals")
    logger.addHandler(words)
    logger.warning("camera %s", "gone")
    logger.info("all is well")
    assert words.text == "warning: camera gone"


def test_a_show_tells_its_vital_signs_after_every_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "visit.mp4", visit(0.3, 1.7, 0.0))
    shows: list[Show] = []
    seen: list[Vitals] = []

    def begin(stop):  # type: ignore[no-untyped-def]
        shows.append(stop.__self__)
        shows[0].rig.pulse.listen(seen.append)
        return stop_on_signal(stop)

    monkeypatch.setattr("mirror.show.run.stop_on_signal", begin)
    told = run(
        Settings(river=RiverSettings(parcels=12)),
        RunOptions(source=str(film), screen="offscreen", size=(64, 36), realtime=False),
    )
    assert [each.pictures for each in seen] == list(range(1, told["frames"] + 1))
    last = seen[-1]
    assert last is shows[0].rig.pulse.newest
    assert (last.visits, last.sitters, seen[3].camera) == (1, 1, "running")
    assert last.weights == told["weights"]
    assert last.painted > 0
    assert set(last.stage_ms) >= {"markers", "latents", "river", "faces", "screen"}
    assert last.rss_mb > 50
    json.loads(last.as_json())
