"""A recorded run, played again, is the same river at every second, whatever is drawn of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from mirror.cards import verify
from mirror.clock import Clock, SteppedClock
from mirror.options import RunOptions
from mirror.painting.loading import Loading
from mirror.session import RiverHash, open_session
from mirror.session.messages import encode_hash, encode_moment
from mirror.session.synthetic import write_synthetic
from mirror.session.tape import Tape
from mirror.settings import RiverSettings, ScreenSettings, Settings
from mirror.show import plan
from mirror.show.plan import as_recorded, make_plan
from mirror.show.run import run
from mirror.show.show import Show
from mirror.signals import Sitters

SECONDS = 12.0
SIZE = (160, 90)
#: A river of few parcels: everything is there, and nothing takes long.
SETTINGS = Settings(river=RiverSettings(parcels=12))


def replay(path: Path, settings: Settings = SETTINGS, **options: Any) -> dict[str, Any]:
    """The report of a replay as fast as can be."""
    asked: dict[str, Any] = {"screen": "offscreen", "size": SIZE, **options}
    return run(settings, RunOptions(source=str(path), **asked), fast=True)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run that was recorded: two sitters come and go. And its report."""
    folder = tmp_path_factory.mktemp("evening")
    write_synthetic(folder / "sitters.mcap", SECONDS, 5)
    told = replay(folder / "sitters.mcap", seed=3, record=folder / "evening.mcap")
    assert told["visits"]
    return folder / "evening.mcap", told


def rewritten(path: Path, out: Path, change: Any) -> Path:
    """The recording with other sitters, each as ``change`` makes them, and the same hashes."""
    session = open_session(path)
    hashes = {hashed.step: hashed for hashed in session.hashes()}
    messages = [(each.sitters.time_s, 2, encode_moment(change(each))) for each in session.moments()]
    messages += [(each.time_s, 4, encode_hash(each)) for each in hashes.values()]
    with Tape(out, session.header) as tape:
        for number, (time_s, topic, data) in enumerate(sorted(messages), 1):
            log_ns = session.header.started_ns + round(time_s * 1e9)
            tape.add(topic, log_ns, log_ns, data, number)
    return out


def hashes_of(path: Path) -> list[RiverHash]:
    return list(open_session(path).hashes())


def test_a_replay_gives_the_recorded_hash_at_every_second_and_at_the_end(
    evening: tuple[Path, dict[str, Any]],
) -> None:
    path, recorded = evening
    told = replay(path)
    assert told["replay"]["agreed"] == len(hashes_of(path)) >= SECONDS
    assert told["replay"]["differed"] == 0
    assert told["river_hash"] == recorded["river_hash"] == hashes_of(path)[-1].sha256
    assert told["visits"] == recorded["visits"]


def test_a_recording_that_is_older_than_emphasis_is_replayed_without(
    evening: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    path, _ = evening
    header = open_session(path).header
    faces = {name: value for name, value in header.settings["faces"].items() if name != "emphasis"}
    old = replace(header, settings={**header.settings, "faces": faces})
    with Tape(tmp_path / "old.mcap", old) as tape:
        tape.add(2, 1, 1, encode_moment(next(iter(open_session(path).moments()))), 1)
    now, then = (as_recorded(SETTINGS, RunOptions(), each)[0] for each in (path, tape.path))
    assert now.faces == SETTINGS.faces
    assert then.faces == replace(SETTINGS.faces, emphasis=0.0)


def test_so_it_does_when_another_process_reads_ahead(
    evening: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a longer recording."""
    begun: list[str] = []
    start = SpawnProcess.start

    def starts(self: SpawnProcess) -> None:
        begun.append(self.name)
        start(self)

    monkeypatch.setattr(SpawnProcess, "start", starts)
    replay(evening[0])
    assert begun == []
    monkeypatch.setattr(plan, "LONG_S", SECONDS / 2)
    told = replay(evening[0])
    assert begun == ["mirror-ahead"]
    assert told["replay"]["differed"] == 0
    assert told["river_hash"] == evening[1]["river_hash"]
    assert told["visits"] == evening[1]["visits"]


def test_without_opengl_a_river_can_still_be_proved(
    evening: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError("no OpenGL here")

    monkeypatch.setattr(moderngl, "create_context", none)
    monkeypatch.setattr(moderngl, "create_standalone_context", none, raising=False)
    told = replay(evening[0])
    assert told["renderer"] == "nothing drawn"
    assert told["replay"]["differed"] == 0 < told["replay"]["agreed"]


@pytest.mark.parametrize("rate_hz", [24.0, 30.0, 60.0])
def test_so_it_does_whatever_the_rate_of_the_pictures(
    evening: tuple[Path, dict[str, Any]], rate_hz: float, tmp_path: Path
) -> None:
    path, _ = evening
    settings = replace(SETTINGS, screen=ScreenSettings(rate_hz=rate_hz))
    drawn = replay(path, settings, to_s=4.0, still=tmp_path / "a.png")
    assert drawn["frames"] == pytest.approx(4.0 * rate_hz, abs=2)
    assert drawn["replay"] == {"agreed": 5, "differed": 0, "first_difference_s": None}
    assert drawn["river_hash"] == replay(path, to_s=4.0)["river_hash"]


@pytest.mark.parametrize("rate_hz", [7.0, 60.0])
def test_where_nothing_can_be_proved_drawing_changes_nothing_either(
    evening: tuple[Path, dict[str, Any]], rate_hz: float, tmp_path: Path
) -> None:
    """A seed of one's own: with pictures, and without, in longer strides, it ends alike."""
    settings = replace(SETTINGS, screen=ScreenSettings(rate_hz=rate_hz))
    drawn = replay(evening[0], settings, seed=4, to_s=3.7, still=tmp_path / "a.png")
    told = replay(evening[0], settings, seed=4, to_s=3.7)
    assert "replay" not in told
    assert told["frames"] == 0
    assert told["river_hash"] == drawn["river_hash"]


def test_a_recording_that_was_tampered_with_is_told_with_its_time(
    evening: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """One marker of one moment, moved by a twentieth of the picture."""
    path, _ = evening
    there = [each.time_s for each in open_session(path).sitters() if each.sitters]
    at_s = there[len(there) // 2]

    def change(moment: Any) -> Any:
        if at_s <= moment.sitters.time_s < at_s + 0.2:
            for sitter in moment.sitters.sitters:
                sitter.markers[1, 0] += 0.05
        return moment

    told = replay(rewritten(path, tmp_path / "other.mcap", change))["replay"]
    assert told["differed"] > 0
    assert at_s <= told["first_difference_s"] <= at_s + 1.2
    assert told["agreed"] + told["differed"] == len(hashes_of(path))
    assert told["agreed"] >= int(at_s)


def test_sitters_without_a_face_do_not_end_a_replay(
    evening: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    def change(moment: Any) -> Any:
        for sitter in moment.sitters.sitters:
            sitter.markers[:] = np.nan
        faceless = tuple(replace(each, presence=np.nan) for each in moment.sitters.sitters)
        sitters: Sitters = replace(moment.sitters, sitters=faceless)
        return replace(moment, sitters=sitters)

    told = replay(rewritten(evening[0], tmp_path / "other.mcap", change))
    assert told["replay"]["differed"] > 0
    assert told["visits"] == evening[1]["visits"]


def test_a_part_of_a_recording_is_proved_as_far_as_it_goes(
    evening: tuple[Path, dict[str, Any]],
) -> None:
    path, _ = evening
    told = replay(path, to_s=4.5)
    until = [hashed for hashed in hashes_of(path) if hashed.time_s <= 4.5]
    assert told["replay"] == {"agreed": len(until), "differed": 0, "first_difference_s": None}


def test_a_seek_begins_with_whoever_is_there_and_proves_nothing(
    evening: tuple[Path, dict[str, Any]],
) -> None:
    path, recorded = evening
    first = recorded["visits"][0]
    from_s = (first["start_s"] + first["end_s"]) / 2
    told = replay(path, from_s=from_s, to_s=from_s + 1.0, seconds=1.5)
    assert "replay" not in told
    assert told["visits"][0]["start_s"] == pytest.approx(0.0, abs=0.05)


def test_in_a_loop_whoever_comes_again_is_somebody_new(
    evening: tuple[Path, dict[str, Any]],
) -> None:
    path, recorded = evening
    told = replay(path, loop=True, seconds=2 * SECONDS - 0.5)
    assert len(told["visits"]) == 2 * len(recorded["visits"])
    assert len({visit["id"] for visit in told["visits"]}) == len(told["visits"])
    one, again = told["visits"][0], told["visits"][len(recorded["visits"])]
    assert again["start_s"] - one["start_s"] == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize(
    ("rate_hz", "speed"), [(24.0, 1.0), (60.0, 1.0), (30.0, 0.25), (30.0, 4.0)]
)
def test_in_its_own_time_pictures_come_at_their_rate_at_any_speed(
    evening: tuple[Path, dict[str, Any]], rate_hz: float, speed: float
) -> None:
    """On a clock that moves with the waiting only: drawing takes no time."""
    settings = replace(SETTINGS, screen=ScreenSettings(rate_hz=rate_hz))
    asked = RunOptions(source=str(evening[0]), screen="offscreen", size=SIZE, speed=speed, to_s=2.0)
    clock, times = SteppedClock(), list[float]()
    with ExitStack() as stack:
        show = Show(make_plan(settings, asked), clock, verify(), stack)

        def told(_: float) -> None:
            if show.course.river is not None:
                times.append(clock.now_s())

        show.play(told)
        assert show.end()["replay"]["differed"] == 0
    assert np.diff(times) == pytest.approx(speed / rate_hz)
    assert len(times) == pytest.approx(2.0 * rate_hz / speed, abs=3)


@pytest.mark.timeout(30)
def test_a_replay_ends_whenever_its_river_springs(
    evening: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last hashes are held against the river however its time and the piece's are rounded."""
    asked = RunOptions(source=str(evening[0]), screen="offscreen", size=SIZE, to_s=1.0)
    result = Loading.result
    for late_s in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5):
        clock = SteppedClock()

        def comes(
            self: Loading, wait: bool = False, clock: Clock = clock, late_s: float = late_s
        ) -> Any:
            models = result(self, wait=True)
            return models if clock.now_s() > late_s else None

        monkeypatch.setattr(Loading, "result", comes)
        with ExitStack() as stack:
            show = Show(make_plan(SETTINGS, asked), clock, verify(), stack)
            show.play(lambda _: None)
            told = show.end()["replay"]
        assert told["differed"] == 0 and told["agreed"] >= 1
