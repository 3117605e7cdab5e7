"""Flags of a run: what beats what, and what is refused before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mirror.errors import SettingsError
from mirror.options import (
    RunOptions,
    check_outputs,
    merge,
    minutes_from,
    moment_from,
    seconds_from,
    seed_from,
    size_from,
)
from mirror.settings import Settings
from mirror.site.site import settings_from


def test_flags_beat_the_site_file() -> None:
    site = settings_from({"seed": 3, "screen": {"kind": "window"}, "camera": {"source": "1"}})
    merged = merge(site, RunOptions(source="a.mp4", screen="offscreen", size=(640, 360), seed=9))
    assert (merged.seed, merged.camera.source) == (9, "a.mp4")
    assert (merged.screen.kind, merged.screen.width_px, merged.screen.height_px) == (
        *("offscreen", 640, 360),
    )


def test_flags_that_are_not_set_leave_the_site_file() -> None:
    site = settings_from({"piece": "uncanny", "seed": 3, "camera": {"source": "1"}})
    assert merge(site, RunOptions()) == site


def test_merging_twice_is_merging_once() -> None:
    options = RunOptions(piece="passersby", size=(320, 240))
    once = merge(Settings(), options)
    assert merge(once, options) == once


@pytest.mark.parametrize("text", ["640x360", "640X360", " 640×360 "])
def test_a_size_is_width_by_height(text: str) -> None:
    assert size_from(text) == (640, 360)


@pytest.mark.parametrize("text", ["0x0", "640", "640x", "-640x360", "15x360", "640x99999", "axb"])
def test_a_size_that_no_screen_has_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--size: .*; allowed: .*; try: --size 1280x720$"):
        size_from(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon", "1e99", ""])
def test_a_duration_that_never_ends_or_never_begins_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--seconds: .*; allowed: a number above 0"):
        seconds_from(text)
    with pytest.raises(SettingsError, match=r"^--minutes: "):
        minutes_from(text)


@pytest.mark.parametrize(("text", "told"), [("0", 0.0), ("0.0", 0.0), ("2.5", 2.5), (None, None)])
def test_a_recording_may_be_begun_at_its_begin(text: str | None, told: float | None) -> None:
    assert moment_from(text, "--from") == told
    with pytest.raises(SettingsError, match=r"^--from: '-1'"):
        moment_from("-1", "--from")


@pytest.mark.parametrize("text", ["-1", "2147483648", "1.5", "x", "9" * 30])
def test_a_seed_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^--seed: .*; allowed: a whole number from 0 to"):
        seed_from(text)


def test_flags_that_are_not_given_stay_open() -> None:
    assert [read(None) for read in (size_from, seconds_from, minutes_from, seed_from)] == [None] * 4


@pytest.mark.parametrize(
    ("field", "value"), [("piece", "foo"), ("screen", "wall"), ("size", (0, 0)), ("seed", -1)]
)
def test_a_flag_out_of_range_is_refused_from_python_too(field: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^--{field}: "):
        merge(Settings(), RunOptions(**{field: value}))


@pytest.mark.parametrize(
    ("field", "name", "word"),
    [
        ("film", "nowhere/a.mp4", "mkdir -p"),
        ("film", "a.avi", "a file ending in .mp4"),
        ("still", "a.jpg", "a file ending in .png"),
        ("record", "a.bag", "a file ending in .mcap"),
        ("report", "folder", "is a folder"),
        ("report", "file/a.json", "no folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(
    tmp_path: Path, field: str, name: str, word: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SettingsError, match=f"^--{field}: ") as caught:
        check_outputs(RunOptions(**{field: tmp_path / name}))
    assert word in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_two_outputs_may_not_share_a_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="which --film names too"):
        check_outputs(RunOptions(film=tmp_path / "a.mp4", report=tmp_path / "." / "a.mp4"))


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc, where nobody may write")
def test_a_folder_that_nobody_may_write_to_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^--report: /proc/a\.json cannot be written"):
        check_outputs(RunOptions(report=Path("/proc/a.json")))


def test_an_output_that_is_there_already_keeps_its_words_until_the_run_writes(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.json").write_text("old", encoding="utf-8")
    check_outputs(RunOptions(report=tmp_path / "a.json"))
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "old"


def test_outputs_that_can_be_written_are_not_touched(tmp_path: Path) -> None:
    check_outputs(
        RunOptions(film=tmp_path / "a.mp4", still=tmp_path / "a.PNG", report=tmp_path / "a.json")
    )
    assert not list(tmp_path.iterdir())
