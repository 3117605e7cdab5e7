"""Whether the computer's clock can be believed, as far as deleting things goes.

A clock that a flat battery or a slip of the hand has set a year ahead makes every recording look a
year older. So a folder of recordings has an almanac: when it was looked at last. A clock that is
days further on since than an installation rests is doubted, and nothing goes by it, until it has
shown three days more: somebody has seen it by then, or a network has put it right. In: a folder
and the wall clock. Out: yes, or until when not. Any thread.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)

DAY_S = 86400.0
#: Between two looks: a long weekend. A leap of less makes nothing go sooner than by so much.
LEAP_S = 4 * DAY_S
#: A clock that leapt is believed after it has gone on for so long.
DOUBT_S = 3 * DAY_S
#: Setting a clock right by less than this is no leap back.
SET_RIGHT_S = 3600.0

NAME = ".mirror-almanac.json"


@dataclass(frozen=True)
class Almanac:
    """seen_s: wall clock at the last look, seconds since 1970. doubted_s: what it was when it had
    leapt; None while it is believed."""

    seen_s: float
    doubted_s: float | None = None

    def later(self, now_s: float) -> Almanac:
        """After another look."""
        doubted_s = self.doubted_s
        if now_s < self.seen_s - SET_RIGHT_S:
            doubted_s = None
        elif doubted_s is None and now_s - self.seen_s > LEAP_S:
            doubted_s = now_s
        elif doubted_s is not None and now_s - doubted_s >= DOUBT_S:
            doubted_s = None
        return Almanac(now_s, doubted_s)


def doubted_until_s(folder: Path, now_s: float) -> float | None:
    """Until when, by the clock itself, it is doubted; None when it is believed. Looks only."""
    told = _read(folder)
    doubted_s = told.later(now_s).doubted_s if told else None
    return None if doubted_s is None else doubted_s + DOUBT_S


def look_up(folder: Path, now_s: float) -> float | None:
    """The same, and this look is remembered in the folder, if there is one.

    What cannot be remembered is logged; a folder that was never looked at says nothing against
    the clock.
    """
    told = _read(folder)
    new = told.later(now_s) if told else Almanac(now_s)
    if told and new.doubted_s is not None and told.doubted_s is None:
        leapt_days = (now_s - told.seen_s) / DAY_S
        log.warning("the clock leapt %.1f days ahead: no recording is deleted by it", leapt_days)
    if folder.is_dir():
        _write(folder, new)
    return None if new.doubted_s is None else new.doubted_s + DOUBT_S


def _read(folder: Path) -> Almanac | None:
    try:
        found = Almanac(**json.loads((folder / NAME).read_text(encoding="utf-8")))
        told = [each for each in (found.seen_s, found.doubted_s) if each is not None]
        return found if all(math.isfinite(each) for each in told) else None
    except (OSError, ValueError, TypeError):
        return None


def _write(folder: Path, almanac: Almanac) -> None:
    part = folder / f"{NAME}.part"
    try:
        part.write_text(json.dumps(asdict(almanac)), encoding="utf-8")
        part.replace(folder / NAME)  # whole, or as it was
    except OSError as error:
        log.warning("%s: cannot be written: %s", folder / NAME, error)
