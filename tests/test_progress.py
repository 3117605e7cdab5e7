"""Progress bars: on a terminal one can see them, elsewhere nothing is said."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from mirror.progress import Bar

DRAWN = """
from mirror.progress import Bar
with Bar("finding faces", 4) as bar:
    for _ in range(4):
        bar()
    bar.reach(4)
"""


def test_where_nobody_watches_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for total in (10, None):
        with Bar("finding faces", total) as bar:
            bar()
            bar(3.0)
            bar.reach(7.0)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_the_bar_goes_to_standard_error(root: Path) -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    ran = subprocess.run(
        [sys.executable, "-c", DRAWN],
        cwd=root, env=environment, stdout=subprocess.PIPE, stderr=follower, check=False,
    )  # fmt: skip
    os.close(follower)
    told = os.read(leader, 65536).decode()
    os.close(leader)
    assert (ran.returncode, ran.stdout) == (0, b"")
    assert "finding faces" in told
    assert "100%" in told


def test_an_error_inside_goes_through() -> None:
    with pytest.raises(ZeroDivisionError), Bar("finding faces", 4):
        raise ZeroDivisionError
