"""What nobody caught is found in logs; what was caught and told is not taken for it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from uncaught import Found, look

UNCAUGHT = {
    "an exception": "raise ValueError('deep')",
    "a thread": "import threading; threading.Thread(target=lambda: 1 / 0).start()",
    "a finaliser": "class A:\n def __del__(self): 1 / 0\nA()",
    "asyncio": (
        "import asyncio, gc, logging\nlogging.basicConfig(format='%(asctime)s %(levelname)s "
        "%(name)s: %(message)s')\nasync def f(): 1 / 0\nasync def m():\n t = asyncio.ensure_future"
        "(f())\n await asyncio.sleep(0.01)\n del t\n gc.collect()\nasyncio.run(m())"
    ),
    "a chain": "try:\n 1 / 0\nexcept ZeroDivisionError as e:\n raise KeyError('b') from e",
}
CAUGHT = """
import logging
logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("mirror.a").exception("it failed, and goes on")
"""


def said(source: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    ).stderr


@pytest.mark.parametrize("kind", UNCAUGHT)
def test_what_python_says_of_an_uncaught_exception_is_counted_once(kind: str) -> None:
    text = "2026-11-22 15:03:33,474 INFO mirror.wings: all is well\n\n" + said(UNCAUGHT[kind])
    found = look(text)
    assert (len(found.uncaught), found.caught) == (1, 0), found


def test_what_was_caught_and_told_is_told_apart() -> None:
    assert look(said(CAUGHT)) == Found((), 1, 0)
    line = '{"level": "error", "text": "it failed", "trace": "Traceback (most recent call last)"}'
    assert look(line) == Found((), 0, 0)
    line = '{"level": "error", "stage": "asyncio", "text": "Task exception was never retrieved"}'
    assert len(look(line).uncaught) == 1


def test_last_words_are_no_exception() -> None:
    text = said("import faulthandler, os; faulthandler.enable(); os.abort()")
    assert look(text) == Found((), 0, 1)
