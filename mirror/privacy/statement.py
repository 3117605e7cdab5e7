"""What is computed, kept and sent, as a table for a technician, a data protection officer or a
program. In: settings. Out: rows, and their text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mirror import MARKERS
from mirror.privacy.facts import Facts, facts
from mirror.settings import Settings
from mirror.site.site import without_password

#: What is never computed, of anybody.
NEVER = (
    "who somebody is",
    "age",
    "gender",
    "emotion",
    "whether somebody was here before",
    "speech",
)

SECTIONS = {
    "computed": "Computed, in memory only",
    "kept": "Kept on disk",
    "sent": "On the network",
    "never": "Never computed, kept or sent",
}


@dataclass(frozen=True)
class Row:
    """section: a key of ``SECTIONS``. what: in a word or two. how: in a sentence. until: how long
    it lasts, in words."""

    section: str
    what: str
    how: str
    until: str = ""


def statement(settings: Settings, saves: bool = False) -> list[Row]:
    """All rows, from the resolved settings of a site."""
    found = facts(settings, saves)
    return [*_computed(found), *_kept(found, settings), *_sent(found, settings), *_never(found)]


def told(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """For programs."""
    return [asdict(row) for row in rows]


def text(rows: Iterable[Row], site: str) -> str:
    """For people: a page of plain text."""
    lines = [f"What the program computes, keeps and sends, by {site}"]
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", SECTIONS[section]]
        until = f" Until: {row.until}." if row.until else ""
        wrapped = textwrap.wrap(row.how + until, 76)
        lines += [f"  {row.what:<18}{wrapped[0]}", *(f"{'':<20}{line}" for line in wrapped[1:])]
    return "\n".join(lines)


def _computed(found: Facts) -> Iterator[Row]:
    if not found.looks:
        yield Row("computed", "nothing", "The piece shown needs no camera, and none is opened.")
        return
    yield Row(
        "computed", "camera pictures",
        "The newest one; each takes the place of the one before.",
        f"the next comes, usually {found.usual_ms} ms; {found.longest_s:g} s at most when the "
        "camera hangs",
    )  # fmt: skip
    yield Row(
        "computed", "markers",
        f"{MARKERS} points of each of up to {found.faces} faces: where eyes, nose, mouth and jaw "
        "are. How near, how fast.",
        f"the face is lost, and {found.lost_s:g} s more",
    )  # fmt: skip
    yield Row(
        "computed", "a number",
        "Each arrival is counted from 1; whoever comes again is somebody new.", "the program ends",
    )  # fmt: skip
    yield Row(
        "computed", "the river",
        "Proportions and poses of visitors, mixed into portraits, and how much of each. It holds "
        "no picture and no markers.",
        f"it has faded: half in {found.half_life_s:g} s, all but a twentieth in "
        f"{found.faded_s / 60:.0f} minutes",
    )  # fmt: skip


def _kept(found: Facts, settings: Settings) -> Iterator[Row]:
    rows = []
    if found.saves:
        rows.append(Row(
            "kept", "the river", "Under `mirror watch`, or with --state: its newest state, about "
            "once a second, for a restart. The same file is written over.",
            "the next second; the last one stays",
        ))  # fmt: skip
    if found.recordings:
        until = f"{found.keep_days:g} days" if found.keep_days else "somebody deletes them"
        quota = settings.record.quota_mb
        until += f" or {quota:g} MB" if quota else ""
        rows.append(Row(
            "kept", "recordings",
            f"Only when a technician asks (--record): markers and times, under "
            f"{found.recordings}. Pictures only if asked for in those words (--record-pictures), "
            "and then a red lamp is on the screen.", until,
        ))  # fmt: skip
    if found.counts:
        rows.append(Row(
            "kept", "visits a day", f"One number a day, in {found.counts}; no times, no order.",
            "somebody deletes it",
        ))  # fmt: skip
    if found.log:
        most = settings.log.file_mb * settings.log.files
        rows.append(Row(
            "kept", "the log", f"Faults of the machine, in {found.log}; nothing of visitors.",
            f"{most:g} MB are full, and then the oldest goes",
        ))  # fmt: skip
    yield from rows or [Row("kept", "nothing", "Nothing is written.")]
    yield Row(
        "kept", "by flags", "What a technician asks for in one run: --film, --still and --report "
        "write the drawn picture and timings; --record as above; --state the river.",
    )  # fmt: skip


def _sent(found: Facts, settings: Settings) -> Iterator[Row]:
    if found.looks and found.over_network:
        yield Row(
            "sent", "the camera", f"Its pictures come in from "
            f"{without_password(settings.camera.source)}; nothing but requests goes out to it.",
        )  # fmt: skip
    status, osc = settings.status, settings.osc
    if status.on:
        picture = "the picture on the screen (never the camera's), " if status.picture else ""
        yield Row(
            "sent", "the status page", f"To whoever asks {status.address}:{status.port}: {picture}"
            "timings, faults, how many visits. Read only.",
        )  # fmt: skip
    if osc.on:
        yield Row(
            "sent", "show control", f"Commands come in at {osc.address}:{osc.port} (UDP); the "
            "show's settings go back when asked for.",
        )  # fmt: skip
    if not (found.looks and found.over_network) and not status.on and not osc.on:
        yield Row("sent", "nothing", "The program opens no connection and listens to none.")
    else:
        yield Row("sent", "nothing else", "No other connection is opened or listened to.")


def _never(found: Facts) -> Iterator[Row]:
    yield Row("never", "of anybody", "; ".join(NEVER) + ".")
    yield Row(
        "never", "proof", "`mirror privacy --prove 20` runs the piece and lists every file that "
        "was written and every address that was spoken to.",
    )  # fmt: skip
