"""A disk that refuses ends neither the show nor its report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from rooms import visit, write_film

from mirror.show.outputs import Outputs

SMALL_DISK = """
    import resource, signal, sys
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
    from mirror import cli
    sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_film_that_fails_halfway_leaves_the_show_and_its_report(
    tmp_path: Path, root: Path
) -> None:
    """No file may grow beyond 9 KB, as on a full disk."""
    film = write_film(tmp_path / "visit.mp4", visit(0.3, 2.5, 0.2))
    line = f"run --source {film} --every-frame --screen offscreen --size 320x180 --loop --seconds 9"
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SMALL_DISK), *line.split(),
         "--film", "a.mp4", "--report", "a.json"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    told = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert told["frames"] >= 134
    assert "a.mp4: the film cannot be written" in told["film_fault"]
    assert ran.returncode == 2  # the film was asked for, and is not there
    assert "Traceback" not in ran.stderr
    assert ran.stderr.strip().splitlines()[-1].startswith("a.mp4: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "visit.mp4"]


def test_a_still_that_cannot_be_kept_is_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").write_text("a file is in the way", encoding="utf-8")
    picture = np.zeros((9, 16, 3), np.uint8)
    with Outputs(None, 30.0) as outputs:
        outputs.want_still()
        outputs.take(lambda: picture, 0.0)
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        Path("out").unlink()
        outputs.want_still()
        outputs.take(lambda: picture, 0.1)
        outputs.take(lambda: picture, 0.2)
    assert len(list(Path("out").glob("mirror-*.png"))) == 1
    assert outputs.fault == ""
