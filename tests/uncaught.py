"""Looks for what nobody caught, in whatever a program has written.

In: the text of a log, lines for people or JSON lines. Out: the places where Python, a thread, a
finaliser, asyncio or the status server tells of an exception that nobody caught. A trace that
stands below a line of the program's own log was caught: the program told of it and went on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

#: What is said of an exception that nobody caught, whoever says it.
SIGNS = (
    "Exception ignored in",
    "Exception in thread",
    "Exception in ASGI application",
    "exception was never retrieved",
    "Unhandled exception",
    "Exception in callback",
    "Error in atexit",
    "terminate called",
)
TRACE = "Traceback (most recent call last)"
#: A line of the program's log on stderr: the time, a level, who says it.
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+: ")
#: What asyncio tells of below its line, above the trace.
ASYNCIO = re.compile(r"(future|handle|task|protocol|transport): <")
#: Between two traces of one chain.
CHAIN = ("During handling of the above exception", "The above exception was the direct cause")


@dataclass(frozen=True)
class Found:
    """uncaught: what nobody caught, each with its last line. caught: traces told by the log.
    aborted: last words of shows that were asked where they stood."""

    uncaught: tuple[str, ...]
    caught: int
    aborted: int


def look(text: str) -> Found:
    """What a log tells of exceptions."""
    lines = [_plain(line) for line in text.splitlines()]
    uncaught, caught, aborted = [], 0, 0
    for n, line in enumerate(lines):
        aborted += line.startswith("Fatal Python error: Aborted")
        if any(sign in line for sign in SIGNS):
            uncaught.append(line)
        elif line.startswith(TRACE) and not _chained(lines, n):
            said = _said_by(lines, n)
            if not said:
                uncaught.append(_last_line(lines, n))
            elif not any(sign in said for sign in SIGNS):  # or it has been counted already
                caught += 1
    return Found(tuple(uncaught), caught, aborted)


def _plain(line: str) -> str:
    """A JSON line as its text: a trace in it stands below a line of the log."""
    if not line.startswith("{"):
        return line
    try:
        told = json.loads(line)
    except ValueError:
        return line
    return str(told.get("text", "")) if isinstance(told, dict) else line


def _chained(lines: list[str], n: int) -> bool:
    """Whether a trace goes on with another one's."""
    return any(line.startswith(CHAIN) for line in lines[max(0, n - 2) : n])


def _said_by(lines: list[str], n: int) -> str:
    """The line above a trace, if it is the log's or tells itself of what nobody caught."""
    before = n - 1
    while before > 0 and ASYNCIO.match(lines[before]):
        before -= 1
    above = lines[before] if n else ""
    return above if LINE.match(above) or any(sign in above for sign in SIGNS) else ""


def _last_line(lines: list[str], n: int) -> str:
    """What a trace says was raised."""
    for line in lines[n + 1 :]:
        if line and not line.startswith((" ", "\t")):
            return line
    return lines[n]
