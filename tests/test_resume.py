"""A show that ends and begins again takes its river up; what cannot be taken up is said once."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from rooms import visit, write_film

from mirror import cli
from mirror.control.commands import command
from mirror.memory.memory import read
from mirror.options import RunOptions
from mirror.settings import RiverSettings, Settings
from mirror.show.run import run as run_show
from mirror.show.show import Show
from mirror.watch.interrupts import stop_on_signal

SETTINGS = Settings(river=RiverSettings(parcels=12))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody who is still there at the end."""
    return write_film(tmp_path_factory.mktemp("films") / "visit.mp4", visit(0.2, 1.4, 0.0))


def run(film: Path, state: Path | None, **more: Any) -> dict[str, Any]:
    options = {"screen": "offscreen", "size": (64, 36), "realtime": False, "seed": 1, **more}
    return run_show(SETTINGS, RunOptions(source=str(film), state=state, **options))


def test_a_second_run_goes_on_where_the_first_one_ended(film: Path, tmp_path: Path) -> None:
    state = tmp_path / "a.river"
    plain, first = run(film, None), run(film, state)
    assert first["river_hash"] == plain["river_hash"]
    kept = read(state)
    assert kept is not None
    second = run(film, state)
    again = read(state)
    assert again is not None
    assert second["river_hash"] != first["river_hash"]
    assert again.time_s == pytest.approx(2 * kept.time_s, abs=0.2)
    assert again.arrays["steps"][0] == pytest.approx(2 * kept.arrays["steps"][0], abs=4)
    ids = [told["visits"][0]["id"] for told in (first, second)]
    assert ids == [1, 2]  # whoever is there after a restart is somebody new
    assert {1, 2} <= set(again.arrays["visit_ids"].tolist())
    assert second["frames"] == first["frames"]


def test_a_river_that_cannot_be_taken_up_begins_anew_and_says_so_in_one_line(
    film: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "a.river"
    state.write_bytes(b"mirror-river-0  " + bytes(9000))
    fresh = run(film, state)
    assert fresh["river_hash"] == run(film, None)["river_hash"]
    run(film, state, seed=2)
    told = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert [text.split(": ")[0] for text in told] == ["the river begins anew"] * 2
    assert "mirror-river-1" in told[0]
    assert "seed" in told[1]


def test_what_show_control_asked_for_outlives_a_restart_but_not_another_site(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shows: list[Show] = []

    def begin(stop):  # type: ignore[no-untyped-def]
        shows.append(stop.__self__)
        if len(shows) == 1:
            for name, value in (("black", True), ("half-life", 77.0), ("piece", "uncanny")):
                shows[0].steering.conductor.inbox.put(command(name, value))
        return stop_on_signal(stop)

    monkeypatch.setattr("mirror.show.run.stop_on_signal", begin)
    state = tmp_path / "a.river"
    for more in ({}, {}, {"piece": "passersby"}):
        told = run(film, state, loop=True, seconds=3.0, **more)
        stands = shows[-1].steering.conductor.standing
        if more:
            assert (stands.black, stands.half_life_s) == (False, 139.0)
        else:
            assert (stands.black, stands.half_life_s, stands.piece) == (True, 77.0, "uncanny")
            assert told["settings"]["river"]["fade_half_life_s"] == 77.0
            assert shows[-1].steering.conductor.light == 0.0


def test_two_shows_of_one_state_and_a_recording_of_it_are_refused(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mirror.watch.alone import alone

    state = tmp_path / "a.river"
    line = f"run --source {film} --screen offscreen --every-frame --state {state}"
    with alone(state):
        assert cli.main(line.split()) == 2
    told = capsys.readouterr().err
    assert (told.count("\n"), "another program" in told) == (1, True)
    assert cli.main([*line.split(), "--record", str(tmp_path / "a.mcap")]) == 2
    assert "--state" in capsys.readouterr().err
