"""Opening hours: a line of the site file and a time of day come in, open or closed goes out.

``Tu-Su 10:00-18:00; Th 10:00-21:00``: days or ranges of days, then a span; parts are set apart by
semicolons, several days by commas. Without days it is every day. A span may go past midnight, and
belongs to the day on which it begins. Pure: whoever asks says what time it is, in local time.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from mirror.errors import SettingsError

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
ALLOWED = "for example Tu-Su 10:00-18:00; Th 10:00-21:00, or empty: always open"
_PART = re.compile(r"(?P<days>[a-z,\s-]*?)\s*(?P<from>\d\d?:\d\d)\s*-\s*(?P<to>\d\d?:\d\d)")
_DAY_MIN = 24 * 60


@dataclass(frozen=True)
class Span:
    """Open from one minute to another of the week, 0 being Monday's midnight; may wrap around."""

    start_min: int
    end_min: int

    def holds(self, minute: int) -> bool:
        """Whether a minute of the week lies in it."""
        week = 7 * _DAY_MIN
        return (minute - self.start_min) % week < self.end_min - self.start_min


def spans(text: str, place: str = "[hours] open") -> tuple[Span, ...]:
    """The spans that a line names, none for an empty one; raises SettingsError."""
    found: list[Span] = []
    for part in text.lower().split(";"):
        if not part.strip():
            continue
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise SettingsError(place, repr(part.strip()), ALLOWED)
        start, end = (_minutes(match[name], place) for name in ("from", "to"))
        end += _DAY_MIN if end <= start else 0
        found += [
            Span(day * _DAY_MIN + start, day * _DAY_MIN + end)
            for day in _days(match["days"], place)
        ]
    return tuple(found)


def is_open(open_spans: tuple[Span, ...], now: datetime.datetime) -> bool:
    """Whether it is open at a local time; always, when there are no spans."""
    minute = now.weekday() * _DAY_MIN + now.hour * 60 + now.minute
    return not open_spans or any(span.holds(minute) for span in open_spans)


def _minutes(text: str, place: str) -> int:
    hour, minute = (int(part) for part in text.split(":"))
    if minute > 59 or hour > 24 or hour * 60 + minute > _DAY_MIN:
        raise SettingsError(place, repr(text), "a time from 0:00 to 24:00")
    return hour * 60 + minute


def _days(text: str, place: str) -> list[int]:
    """The days meant, 0 being Monday."""
    days: set[int] = set()
    for part in filter(None, (each.strip() for each in text.split(","))):
        ends = [each.strip()[:2] for each in part.split("-")]
        if len(ends) > 2 or not all(end in DAYS for end in ends):
            raise SettingsError(place, repr(part), "Mo, Tu, We, Th, Fr, Sa, Su, or a range: Tu-Su")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        days |= {(first + n) % 7 for n in range((last - first) % 7 + 1)}
    return sorted(days) or list(range(7))
