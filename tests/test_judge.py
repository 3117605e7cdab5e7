"""The judge: only pictures count as life; what can wait waits for an empty room."""

from __future__ import annotations

from typing import Any

import pytest

from mirror.settings import WatchSettings
from mirror.watch.judge import FAR_OVER, Judge, Verdict

SETTINGS = WatchSettings(memory_mb=1000, patience_s=300, camera_s=60, slow_s=30, painting_s=40)
WELL = {"fps": 30.0, "camera": "running", "silent_s": 0.1, "rss_mb": 500.0, "sitters": 0}


class Life:
    """A show that presents pictures, and a judge who hears of them."""

    def __init__(self, settings: WatchSettings = SETTINGS) -> None:
        self.judge, self.now_s, self.pictures, self.painted = Judge(settings), 100.0, 0, 0
        self.judge.begin(self.now_s)

    def shows(self, seconds: float, paints: bool = True, **signs: Any) -> Verdict | None:
        """Ten pictures a second for so long; the first verdict."""
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            self.pictures += 1
            self.painted += paints
            told = {**WELL, **signs, "pictures": self.pictures, "painted": self.painted}
            self.judge.hear(told, self.now_s)
            if verdict := self.judge.verdict(self.now_s):
                return verdict
        return None

    def hangs(self, seconds: float) -> Verdict | None:
        """Nothing comes for so long."""
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            if verdict := self.judge.verdict(self.now_s):
                return verdict
        return None

    def begins(self) -> None:
        """It was started again."""
        self.pictures = self.painted = 0
        self.judge.begin(self.now_s)


def test_a_show_that_is_well_is_left_alone_for_a_day() -> None:
    life = Life()
    assert life.shows(3600) is None
    assert life.shows(600, sitters=2) is None


def test_a_picture_that_stands_still_is_a_freeze_whatever_else_is_told() -> None:
    life = Life()
    life.shows(10)
    begun_s = life.now_s
    while (verdict := life.judge.verdict(life.now_s)) is None:
        life.now_s += 0.1
        life.judge.hear({**WELL, "pictures": life.pictures}, life.now_s)  # alive, but no picture
    assert verdict == Verdict("freeze", True)
    assert life.now_s - begun_s == pytest.approx(SETTINGS.freeze_s, abs=0.2)


def test_the_first_picture_may_take_longer_but_not_for_ever() -> None:
    life = Life()
    assert life.hangs(SETTINGS.start_s - 1) is None
    assert life.hangs(2) == Verdict("did not start", True)


def test_a_supervisor_that_slept_blames_nobody() -> None:
    life = Life()
    life.shows(10)
    life.now_s += 3600
    life.judge.forgive(3600)
    assert life.judge.verdict(life.now_s) is None
    assert life.hangs(SETTINGS.freeze_s + 0.5) == Verdict("freeze", True)


def test_on_a_machine_that_is_too_slow_a_start_is_given_longer_each_time() -> None:
    life, times_s = Life(), []
    for _ in range(3):
        life.shows(5)
        begun_s = life.now_s
        assert life.hangs(60) == Verdict("freeze", True)
        times_s.append(life.now_s - begun_s)
        life.begins()
    assert times_s == pytest.approx([SETTINGS.freeze_s * n for n in (1, 2, 4)], abs=0.2)
    life.shows(SETTINGS.start_s + 1)  # it has come through: from now on a freeze is a freeze
    assert life.hangs(SETTINGS.freeze_s + 0.2) == Verdict("freeze", True)
    life.begins()
    life.shows(5)
    assert life.hangs(SETTINGS.freeze_s + 0.2) == Verdict("freeze", True)


WAITING = {
    "memory over the ceiling": {"rss_mb": 1100.0},
    "slow picture": {"fps": 1.0},
    "camera silent": {"camera": "gone"},
}


@pytest.mark.parametrize("fault", WAITING)
def test_what_can_wait_waits_for_an_empty_room(fault: str) -> None:
    life = Life()
    assert life.shows(100, sitters=1, **WAITING[fault]) is None
    assert life.shows(1, sitters=0) == Verdict(fault, False)


@pytest.mark.parametrize("fault", WAITING)
def test_but_not_for_ever(fault: str) -> None:
    life = Life()
    assert life.shows(500, sitters=1, **WAITING[fault]) == Verdict(fault, False)
    assert life.now_s < 100 + 300 + 61 + 1


def test_far_over_the_ceiling_nobody_waits() -> None:
    life = Life()
    verdict = life.shows(1, sitters=3, rss_mb=FAR_OVER * 1000 + 1)
    assert verdict == Verdict("memory far over the ceiling", True)


def test_a_ceiling_for_the_gpu_holds_only_where_it_is_set() -> None:
    assert Life().shows(10, gpu_mb=5000.0) is None
    assert Life(WatchSettings(gpu_mb=100)).shows(1, gpu_mb=None) is None
    verdict = Life(WatchSettings(gpu_mb=100)).shows(1, gpu_mb=150.0)
    assert verdict == Verdict("GPU memory over the ceiling", False)


def test_eyes_that_tell_nothing_are_dead_unless_there_are_none() -> None:
    assert Life().shows(1, silent_s=60.0) == Verdict("markers silent", True)
    for camera in ("nobody", "session", "ended", "paused"):
        assert Life().shows(1, silent_s=60.0, camera=camera) is None


def test_eyes_may_take_as_long_to_open_as_the_first_picture() -> None:
    life = Life()
    assert life.shows(SETTINGS.start_s - 1, silent_s=20.0, camera="opening") is None
    assert life.shows(3, silent_s=30.0, camera="opening") == Verdict("markers silent", True)


def test_no_painting_for_long_is_a_dead_painter() -> None:
    life = Life()
    life.shows(5)
    verdict = life.shows(100, paints=False)
    assert verdict == Verdict("painting dead", False)
    assert life.now_s == pytest.approx(100 + 5 + SETTINGS.painting_s, abs=1)


def test_a_restart_that_does_not_help_is_tried_after_growing_pauses() -> None:
    life, times_s = Life(), []
    for _ in range(5):
        begun_s = life.now_s
        assert life.shows(20_000, camera="gone") == Verdict("camera silent", False)
        times_s.append(life.now_s - begun_s)
        life.begins()
    assert times_s == pytest.approx([60, 120, 240, 480, 960], abs=2)
    assert life.shows(400) is None
    assert life.shows(100, camera="gone") is not None  # it was well meanwhile


def test_when_the_house_is_closed_nothing_is_wrong_with_rest() -> None:
    life = Life()
    assert life.shows(500, paints=False, opening="closed", fps=1.0, camera="opening") is None


def test_a_restart_that_was_asked_for_waits_too() -> None:
    life = Life()
    life.shows(5, sitters=1)
    life.judge.ask("asked for", life.now_s)
    assert life.shows(50, sitters=1) is None
    assert life.shows(1) == Verdict("asked for", False)


@pytest.mark.parametrize("rubbish", [{"fps": "many"}, {"rss_mb": None}, {"sitters": []}, {}])
def test_rubbish_is_no_reason(rubbish: dict[str, Any]) -> None:
    assert Life().shows(1, **rubbish) is None
