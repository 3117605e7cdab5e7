"""The systemd unit: what systemd itself reads without a complaint."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mirror import cli
from mirror.watch.unit import unit


def test_systemd_reads_the_unit_without_a_complaint(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    path = tmp_path / "mirror.service"
    path.write_text(unit("site", ["--source", "http://10.0.0.7/a b%20c"]), encoding="utf-8")
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True, text=True, check=False,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    about_it = [line for line in ran.stderr.splitlines() if "mirror.service" in line]
    assert about_it == [], ran.stderr


def test_the_watchdog_is_fed_by_the_supervisor_alone() -> None:
    text = unit("hall")
    for line in ("Type=notify", "NotifyAccess=main", "Restart=always", "WatchdogSec=60",
                 "StartLimitIntervalSec=0", "LimitCORE=0", "KillMode=process"):  # fmt: skip
        assert line in text.splitlines()
    assert " -m mirror watch --site hall\n" in text


def test_what_systemd_would_expand_is_kept_as_it_is() -> None:
    assert '"http://a/$$b %%c \\"d\\""' in unit("site", ["--source", 'http://a/$b %c "d"'])


def test_the_command_prints_the_unit_and_refuses_what_could_never_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["service", "site", "--piece", "uncanny"]) == 0
    assert "--site site --piece uncanny\n" in capsys.readouterr().out
    assert cli.main(["service", "site", "--piece", "pond"]) == 2
    assert "--piece" in capsys.readouterr().err
