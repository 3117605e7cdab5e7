"""``mirror session``: what it tells, writes and answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mirror import cli
from tests.recordings import HEADER, room, write


@pytest.fixture
def evening(tmp_path: Path) -> Path:
    return write(tmp_path / "evening.mcap", room(2.0))


def mirror(*words: object) -> int:
    return cli.main(["session", *map(str, words)])


def test_info_tells_what_is_inside(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mirror("info", evening) == 0
    told = capsys.readouterr().out
    for words in ("markers only", "2023-11-14 22:13:20 UTC by mirror 0.1.0", "panel abababab",
                  "/sitters 60", "2, at most 2 sitters", "0.00 to 1.97 s", "intact"):  # fmt: skip
        assert words in told


def test_info_as_json_is_json(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mirror("info", evening, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["header"]["seed"], told["messages"]["/sitters"]) == (HEADER.seed, 60)


def test_verify_answers_0_for_an_intact_file_and_1_for_a_damaged_one(
    evening: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mirror("verify", evening) == 0
    damaged = bytearray(evening.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    evening.write_bytes(damaged)
    capsys.readouterr()
    assert mirror("verify", evening) == 1
    told = capsys.readouterr().out
    assert "wrong checksum" in told or "cannot be unpacked" in told
    assert "mirror session recover" in told


def test_recover_says_what_was_lost(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evening.write_bytes(evening.read_bytes()[:-30_000])
    out = evening.with_name("mended.mcap")
    assert mirror("recover", evening, "--out", out) == 0
    assert "cut off" in capsys.readouterr().out
    assert mirror("verify", out) == 0
    assert mirror("info", out) == 0
    assert "messages kept, the last at" in capsys.readouterr().out


def test_export_writes_a_table(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = evening.with_name("evening.npz")
    assert mirror("export", evening, "--out", out) == 0
    with np.load(out) as found:
        assert f"{len(found['id'])} rows" in capsys.readouterr().out


def test_synthesise_writes_a_session(tmp_path: Path) -> None:
    out = tmp_path / "sitters.mcap"
    assert mirror("synthesise", "--out", out, "--seconds", 3, "--rate", 10, "--seed", 5) == 0
    assert mirror("verify", out) == 0


@pytest.mark.parametrize("words", ["info", "verify", "recover", "export"])
def test_bad_files_are_refused_in_one_line(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.mcap"
    more = ["--out", tmp_path / "a.csv"] if words == "export" else []
    assert mirror(words, path, *more) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{path}: no such file; allowed: a recorded session, an .mcap file"
    ]
