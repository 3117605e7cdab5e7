"""The command line: every command explains itself, and bad input ends in one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import calibration.__main__ as calibrate
from mirror import SCHOOLS, __version__, cli
from mirror.atelier.cli import named_schools
from mirror.errors import SettingsError
from mirror.settings import Settings
from mirror.site.site import read_site

APPS = {"mirror": cli, "calibrate": calibrate}


def commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below one, with the words that reach it."""
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


ALL = {
    words: command
    for name, module in APPS.items()
    for words, command in commands(typer.main.get_command(module.app), (name,))
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, so that whatever is half-written is seen."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert APPS[words[0]].main([*words[1:], "--help"]) == 0
    told = capsys.readouterr().out
    assert f"Example: {' '.join(words[:1])}" in told


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_and_every_option_says_what_it_does(words: tuple[str, ...]) -> None:
    command = ALL[words]
    assert command.help
    assert [each.name for each in command.params if not getattr(each, "help", None)] == []


@pytest.mark.parametrize("words", [words for words in ALL if not hasattr(ALL[words], "commands")])
def test_the_example_of_a_command_calls_that_command(words: tuple[str, ...]) -> None:
    assert f"Example: {' '.join(words)}" in ALL[words].epilog


def test_the_contracts_commands_are_there() -> None:
    wanted = ("run", "replay", "session", "train", "faces", "bench", "doctor")
    assert {("mirror", name) for name in wanted} <= ALL.keys()
    assert {("mirror", "faces", name) for name in ("sheet", "measure")} <= ALL.keys()
    session = ("info", "verify", "recover", "export")
    assert {("mirror", "session", name) for name in session} <= ALL.keys()


def test_the_contracts_flags_of_run_are_there() -> None:
    flags = {each for option in ALL["mirror", "run"].params for each in option.opts}
    flags |= {each for option in ALL["mirror", "run"].params for each in option.secondary_opts}
    wanted = "source piece screen size seconds seed film still report record realtime every-frame"
    assert {f"--{name}" for name in [*wanted.split(), "loop"]} <= flags


REFUSED = {
    "run --size 0x0": ("--size", "'0x0'", "allowed: width:", "try: --size 1280x720"),
    "run --size big": ("--size", "'big'", "WIDTHxHEIGHT"),
    "run --piece foo": ("--piece", '"foo"', "river, uncanny, passersby"),
    "run --piece rivr": ("--piece", '"rivr"', "try: river"),
    "run --screen wall": ("--screen", '"wall"', "auto, window, offscreen"),
    "run --seconds -1": ("--seconds", "'-1'", "a number above 0", "try: --seconds 60"),
    "run --seconds soon": ("--seconds", "'soon'"),
    "run --seed -3": ("--seed", "-3", "a whole number from 0 to 2147483647"),
    "run --seed pi": ("--seed", '"pi"', "a whole number"),
    "run --film nowhere/a.mp4": ("--film", "no folder nowhere", "try: mkdir -p nowhere"),
    "run --film a.gif": ("--film", "a.gif", ".mp4", "try: --film a.mp4"),
    "run --still a.jpg": ("--still", "a.jpg", ".png"),
    "run --record a.txt": ("--record", "a.txt", ".mcap"),
    "run --report .": ("--report", "is a folder"),
    "run --film a.mp4 --report a.mp4": ("--report", "which --film names too"),
    "run --site nowhere": ("nowhere.toml", "no such file", "allowed: a site file", "--site site"),
    "run --fast": ("mirror run", "no such option", "--fast", "try: mirror run --help"),
    "run --size": ("mirror", "--size", "requires an argument", "--help"),
    "run extra": ("mirror run", "extra", "try: mirror run --help"),
    "rum": ("mirror", "rum", "allowed: bench, doctor", "try: mirror --help"),
    "replay": ("mirror replay", "missing argument", "SESSION.mcap"),
    "replay a.mp4": ("mirror replay", "a.mp4", "SESSION.mcap", "try: mirror run"),
    "replay nowhere.mcap --fast": ("nowhere.mcap", "no such file"),
    "run --source nowhere.mp4 --film a.mp4 --report a.json": ("nowhere.mp4", "no such file"),
    "train panel": ("mirror train", "missing option", "--images"),
    "train baroque --images .": ("mirror train", "'baroque'", "all, panel, chiaroscuro"),
    "train all --images nowhere": ("--images", "no folder nowhere"),
    "train all --images . --device tpu": ("--device", "'tpu'", "auto, cpu, cuda"),
    "train all --images . --minutes 0": ("--minutes", "'0'", "a number above 0"),
    "faces sheet --out a.txt": ("--out", "a.txt", ".png"),
    "faces measure --json nowhere/a.json": ("--json", "no folder nowhere"),
    "bench --json nowhere/a.json": ("--json", "no folder nowhere"),
    "doctor --json nowhere/a.json": ("--json", "no folder nowhere"),
}


@pytest.mark.parametrize("line", REFUSED)
def test_bad_input_ends_in_one_line_and_status_two(
    line: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(line.split()) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    for words in REFUSED[line]:
        assert words in told.err
    assert list(here.iterdir()) == []


def test_an_unknown_key_in_the_site_file_ends_in_one_line_and_status_two(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = here / "foyer.toml"
    site.write_text("[river]\nlop_s = 3.0\n", encoding="utf-8")
    assert cli.main(["run", "--site", str(site), "--report", "a.json"]) == 2
    assert "foyer.toml:2 [river] lop_s: unknown key" in capsys.readouterr().err
    assert [each.name for each in here.iterdir()] == ["foyer.toml"]


def test_the_program_runs_as_a_module_in_its_own_process(root: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "mirror", *words]
        return subprocess.run(line, cwd=root, capture_output=True, text=True, check=False)

    told = run("--version")
    assert (told.returncode, told.stdout) == (0, f"mirror {__version__}\n")
    refused = run("run", "--size", "0x0")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    for module in APPS.values():
        assert module.main([]) == 0
        assert "Commands" in capsys.readouterr().out


def test_all_means_the_six_schools_in_their_order() -> None:
    assert named_schools(["all"]) == list(SCHOOLS)
    assert named_schools(["stone", "panel"]) == ["panel", "stone"]
    with pytest.raises(SettingsError, match="'print'"):
        named_schools(["panel", "print"])


def test_calibrate_show_prints_a_site_file_that_can_be_read_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate.main(["show", "--defaults"]) == 0
    (here / "foyer.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert read_site("./foyer.toml") == Settings()


def test_calibrate_show_names_what_differs_from_the_default(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "foyer.toml").write_text(
        'seed = 4\n[camera]\nsource = "rtsp://me:secret@door/1"\n', encoding="utf-8"
    )
    assert calibrate.main(["show", "--changed", "--site", "./foyer.toml"]) == 0
    told = capsys.readouterr().out
    assert "seed = 4, by default 0" in told
    assert "[camera] source = 'rtsp://***@door/1'" in told
    assert "secret" not in told


def test_calibrate_check_refuses_a_value_out_of_range(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "foyer.toml").write_text("[markers]\nsitters = 9\n", encoding="utf-8")
    assert calibrate.main(["check", "--site", "./foyer.toml"]) == 2
    assert capsys.readouterr().err == (
        "foyer.toml:2 [markers] sitters: 9; allowed: a whole number from 1 to 4; try: sitters = 4\n"
    )
