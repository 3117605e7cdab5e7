"""The log on disk: one JSON object a line, rotated; the first time of a line, then counts.

In: what any module logs, from any thread. Out: ``mirror.log`` in the site's folder. A thread of
its own writes, so that a disk that hangs or is full stops nobody: what cannot be written is
dropped and counted. A line that was logged before is counted, and told again now and then with
how often it came; a camera that is unplugged for a weekend takes some hundred lines.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
import traceback
from collections import Counter, OrderedDict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mirror import __version__
from mirror.clock import Clock, MonotonicClock, utc_now
from mirror.errors import SettingsError
from mirror.settings import LogSettings

NAME = "mirror.log"
#: Different lines told apart; lines that wait for the disk.
MOST_KINDS, MOST_WAITING = 512, 1000
#: A line and a trace are cut here, characters.
LONGEST, LONGEST_TRACE = 2000, 8000
#: After the disk has refused, it is tried again after so long.
RETRY_S = 10.0


@dataclass
class _Kind:
    """What is known of one line: when it was told last, how often it came since, the newest."""

    told_s: float
    times: int
    newest: dict[str, object]


class Lines:
    """The file, and those before it: writes, rotates, and comes back after a disk was full."""

    def __init__(self, folder: Path, most_bytes: int, files: int) -> None:
        self._path, self._most_bytes, self._files = folder / NAME, most_bytes, files
        self._file: TextIO | None = None

    def write(self, line: str) -> None:
        """Append one line; raises OSError."""
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = open(self._path, "a", encoding="utf-8")  # noqa: SIM115 - kept open
            if self._file.tell() and self._file.tell() + len(line) > self._most_bytes:
                self._rotate()
            assert self._file is not None
            self._file.write(line + "\n")
            self._file.flush()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file; the next line opens it again."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:  # what was not written yet is lost: the disk is full
                pass

    def _rotate(self) -> None:
        """mirror.log becomes mirror.log.1, that becomes .2, and the last one goes."""
        self.close()
        older = [self._path.with_name(f"{NAME}.{n}") for n in range(1, self._files)]
        for path, target in zip(reversed([self._path, *older][:-1]), reversed(older)):
            if path.exists():
                path.replace(target)
        if not older:
            self._path.unlink()
        self._file = open(self._path, "a", encoding="utf-8")  # noqa: SIM115 - kept open


class Journal(logging.Handler):
    """Takes what is logged; a context manager puts it in place and away again.

    counts: lines logged so far, by level in lower case, and 'lost'.
    """

    def __init__(self, settings: LogSettings, clock: Clock | None = None) -> None:
        """Raises SettingsError for a folder that cannot be made."""
        super().__init__(logging.INFO)
        self._clock, self._repeat_s = clock or MonotonicClock(), settings.repeat_s
        self._kinds: OrderedDict[tuple[str, int, str], _Kind] = OrderedDict()
        self.counts: Counter[str] = Counter()
        self._lines: Lines | None = None
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        if settings.folder:
            folder = Path(settings.folder)
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                found = f"{settings.folder} cannot be made ({error.strerror})"
                raise SettingsError("[log] folder", found, "a folder of your own") from None
            self._lines = Lines(folder, round(1e6 * settings.file_mb), settings.files)
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)

    def __enter__(self) -> Journal:
        root, ours = logging.getLogger(), logging.getLogger("mirror")
        self._before = ours.level
        level = ours.getEffectiveLevel()
        self._handlers = [(handler, handler.level) for handler in root.handlers]
        for handler, own in self._handlers:  # stderr tells what it told before
            handler.setLevel(max(own, level))
        ours.setLevel(min(level, logging.INFO))
        root.addHandler(self)
        if self._lines is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger("mirror").setLevel(self._before)
        for handler, own in self._handlers:
            handler.setLevel(own)
        with self.lock or threading.RLock():
            for kind in self._kinds.values():
                self._tell(kind)
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=1.0)
            except queue.Full:  # the disk hangs, and this thread ends with the program
                return
            self._thread.join(timeout=5)

    def emit(self, record: logging.LogRecord) -> None:
        """Take one line: write it if it is new, else count it."""
        self.counts[record.levelname.lower()] += 1
        if self._lines is None:
            return
        now_s, line = self._clock.now_s(), told(record)
        key = record.name, record.levelno, str(record.msg)[:200]
        kind = self._kinds.get(key)
        if kind is None:
            self._kinds[key] = _Kind(now_s, 0, line)
            self._put(line)
            while len(self._kinds) > MOST_KINDS:
                self._tell(self._kinds.popitem(last=False)[1])
            return
        self._kinds.move_to_end(key)
        kind.times, kind.newest = kind.times + 1, line
        if now_s - kind.told_s >= self._repeat_s:
            kind.told_s = now_s
            self._tell(kind)

    def _tell(self, kind: _Kind) -> None:
        """Write the newest of a line's repetitions, with how many there were."""
        if kind.times:
            self._put({**kind.newest, "times": kind.times})
            kind.times = 0

    def _put(self, line: dict[str, object]) -> None:
        try:
            self._waiting.put_nowait(json.dumps(line, ensure_ascii=False, default=str))
        except queue.Full:
            self.counts["lost"] += 1

    def _write(self) -> None:
        assert self._lines is not None
        refused_s = -RETRY_S
        while (line := self._waiting.get()) is not None:
            if self._clock.now_s() - refused_s < RETRY_S:
                self.counts["lost"] += 1
                continue
            try:
                self._lines.write(line)
            except OSError as error:
                refused_s = self._clock.now_s()
                self.counts["lost"] += 1
                if self.counts["lost"] == 1:
                    print_once(f"the log cannot be written ({error.strerror}); the show goes on")
        self._lines.close()


def told(record: logging.LogRecord) -> dict[str, object]:
    """A record as the log holds it: time (UTC), level, stage, text; and what was raised."""
    line: dict[str, object] = {
        "time": f"{utc_now():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        "level": record.levelname.lower(),
        "stage": record.name,
        "text": record.getMessage()[:LONGEST],
    }
    if record.exc_info:
        line["trace"] = "".join(traceback.format_exception(*record.exc_info))[-LONGEST_TRACE:]
    return line


def keep_journal(settings: LogSettings, stack: ExitStack) -> Journal:
    """Begin the log, with a line that says what runs."""
    journal = stack.enter_context(Journal(settings))
    logging.getLogger(__name__).info("mirror %s begins", __version__)
    return journal


def print_once(line: str) -> None:
    """To whoever reads stderr, past the log itself."""
    try:
        sys.stderr.write(line + "\n")
    except (OSError, ValueError):  # there is no stderr
        pass
