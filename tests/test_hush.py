"""Stderr is hushed for MediaPipe's start-up notes and for nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from mirror.markers.hush import hushed

NOTES = (
    b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"W0000 00:00:1795336515.213664    9639 inference_feedback_manager.cc:114] Feedback manager\n"
    b"I0605 12:34:56.123456 1 gl_context.cc:357] GL version: 3.2\n"
)


def test_known_notes_are_dropped_and_all_else_arrives(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed():
        os.write(2, b"before\n" + NOTES + b"E0000 00:00:1795336515.2 1 x.cc:1] an error\nafter\n")
    os.write(2, b"later\n")
    wanted = "before\nE0000 00:00:1795336515.2 1 x.cc:1] an error\nafter\nlater\n"
    assert capfd.readouterr().err == wanted


def test_a_last_line_without_an_end_arrives(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed():
        os.write(2, b"cut off")
    assert capfd.readouterr().err == "cut off"


def test_threads_hush_one_after_the_other(capfd: pytest.CaptureFixture[str]) -> None:
    def speak() -> None:
        for _ in range(20):
            with hushed():
                os.write(2, NOTES)

    threads = [threading.Thread(target=speak) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"end\n")
    assert capfd.readouterr().err == "end\n"


def test_stderr_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), hushed():
        raise KeyError("inside")
    os.write(2, NOTES)
    assert capfd.readouterr().err.encode() == NOTES


def test_a_closed_stderr_is_no_error() -> None:
    code = (
        "import os; os.close(2)\n"
        "from mirror.markers.hush import hushed\n"
        "with hushed(): print('fine')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ran.stdout == b"fine\n"
