"""What a run will do, decided before anything is opened: where sitters come from, where the
picture goes, how long it lasts and what is written.

In: settings and flags. Out: a ``Plan``. Everything that can be refused is refused here.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mirror.camera import Source, list_devices, parse_source, probe
from mirror.cards import verify
from mirror.errors import ScreenError, SettingsError
from mirror.options import RunOptions, check_outputs, merge
from mirror.places import weights_folder
from mirror.session.read import Session, open_session
from mirror.session.synthetic import synthesise
from mirror.settings import Settings
from mirror.signals import Sitters
from mirror.site.site import settings_from

#: Without a display and with nothing else asked for, a run shows itself for so long.
SHOWING_S = 20.0
#: Length of the bundled session; it begins again at its end.
BUNDLED_S, BUNDLED_SEED = 60.0, 1
OUT = Path("out")
#: See ``Plan.stride``.
STRIDE = 30
#: The least of a recording for which it is worth to begin another process, seconds.
LONG_S = 120.0
#: More sitters than any recording holds: whoever comes again in a loop is somebody new.
IDS_A_ROUND = 1_000_000


@dataclass(frozen=True)
class Plan:
    """eyes: 'camera' (live, or a film in its own time), 'frames' (a film frame by frame),
    'session' (recorded or synthetic sitters) or 'nobody'. source: of a camera or film; session:
    a recording, None for the bundled one. screen: 'window' or 'offscreen'. stepped: the piece's
    clock moves with the source, not with the computer. rate_hz: of a stepped clock."""

    settings: Settings
    options: RunOptions
    eyes: str
    source: Source | None
    session: Path | None
    screen: str
    stepped: bool
    rate_hz: float
    seconds: float | None
    aspect: float | None = None
    proves: bool = False

    @property
    def stride(self) -> int:
        """So many pictures' times a stepped clock moves on at once: where nothing is drawn, nobody
        asks what happens between."""
        watched = self.draws or self.options.record or self.seconds
        return STRIDE if self.eyes == "session" and not watched else 1

    @property
    def reads_ahead(self) -> bool:
        """Whether a recording that nobody watches is long enough for a process that reads ahead,
        and passes over what the river never hears of."""
        if self.draws or self.options.record or not self.stepped or self.session is None:
            return False
        return lasts_s(self.options, open_session(self.session)) >= LONG_S

    @property
    def draws(self) -> bool:
        """Whether anybody will see a picture; a fast replay without a film draws none."""
        seen = self.options.film or self.options.still
        replayed = self.eyes == "session" or self.session is not None
        return self.screen == "window" or bool(seen) or not (self.stepped and replayed)


def make_plan(settings: Settings, options: RunOptions, fast: bool = False) -> Plan:
    """Decide; raises MirrorError for what cannot be done."""
    settings = merge(settings, options)
    check_outputs(options)
    screen = choose_screen(settings.screen.kind)
    eyes, source, session = choose_eyes(settings, options, fast)
    aspect, proves = None, False
    if session is not None:
        settings, aspect, proves = as_recorded(settings, options, session)
        proves = proves and eyes == "session"  # markers found anew, in JPEGs, are other markers
    rate_hz, seconds = settings.screen.rate_hz, options.seconds
    if eyes in ("camera", "frames") and source is not None and not source.live:
        facts = probe(source)
        rate_hz = facts.rate_hz if eyes == "frames" else rate_hz
    if screen == "offscreen" and asks_nothing(options):
        make_out()
        seconds = seconds or SHOWING_S
        options = dataclasses.replace(
            options, film=OUT / "river.mp4", still=OUT / "river.png", report=OUT / "report.json"
        )
    stepped = eyes == "frames" or fast
    return Plan(
        settings, options, eyes, source, session, screen, stepped, rate_hz, seconds, aspect, proves
    )


def as_recorded(
    settings: Settings, options: RunOptions, session: Path
) -> tuple[Settings, float | None, bool]:
    """The settings that a recording was made with, where they change the river; flags beat them.

    Also returns the river's width over height, and whether the replay can be held against the
    recorded hashes: whole, from the begin, with nothing changed that the river feels.
    """
    header = open_session(session).header
    if not header.settings:
        return settings, None, False
    recorded = settings_from(header.settings)
    river, faces, screen = recorded.river, recorded.faces, recorded.screen
    if "emphasis" not in header.settings.get("faces", {}):  # it is older than that
        faces = dataclasses.replace(faces, emphasis=0.0)
    merged = dataclasses.replace(
        settings,
        river=river,
        mirror=recorded.mirror,
        markers=recorded.markers,
        camera=dataclasses.replace(settings.camera, mirror=False),  # its pictures are mirrored
        faces=dataclasses.replace(settings.faces, accent=faces.accent, emphasis=faces.emphasis),
        seed=recorded.seed if options.seed is None else options.seed,
        piece=recorded.piece if options.piece is None else options.piece,
    )
    if options.size is None:
        sized = dataclasses.replace(
            merged.screen, width_px=screen.width_px, height_px=screen.height_px
        )
        merged = dataclasses.replace(merged, screen=sized)
    whole = options.from_s == 0.0 and not options.loop and merged.seed == recorded.seed
    same = dict(header.weights) == verify(weights_folder(settings.faces.weights))
    return merged, header.aspect, whole and same


def make_out() -> None:
    """The folder that a run shows itself in; raises SettingsError when it cannot be made."""
    try:
        OUT.mkdir(exist_ok=True)
    except OSError as error:
        raise SettingsError(
            str(OUT.resolve()), f"cannot be made ({error.strerror})", "a folder",
            "--film FILE.mp4 in a folder that you may write to",
        ) from error  # fmt: skip


def asks_nothing(options: RunOptions) -> bool:
    """Whether a run names neither a source nor an output: somebody wants to see the piece."""
    outputs = (options.film, options.still, options.report, options.record, options.state)
    return not options.source and not any(outputs)


def choose_screen(kind: str) -> str:
    """A window where there is a display, offscreen where there is none; raises ScreenError."""
    display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if kind == "window" and not display:
        raise ScreenError(
            "--screen window", "no display (DISPLAY is not set)", "a desktop, or offscreen",
            "--screen offscreen",
        )  # fmt: skip
    if kind == "auto":
        return "window" if display else "offscreen"
    return kind


def choose_eyes(
    settings: Settings, options: RunOptions, fast: bool = False
) -> tuple[str, Source | None, Path | None]:
    """Who watches the room: the source named, else camera 0, else the bundled session."""
    text = settings.camera.source
    if settings.piece == "passersby" and not options.source:
        return "nobody", None, None
    if text.endswith(".mcap"):
        found = open_session(Path(text))  # refused now, not when the window is open
        check_span(found, options)
        if not options.pictures:
            return "session", None, Path(text)
        if not found.header.pictures:
            raise SettingsError(
                "--pictures", f"only markers in {text}",
                "a session recorded with --record-pictures", f"mirror replay {text}",
            )  # fmt: skip
        source = Source("session", text, options.from_s, options.to_s)
        return ("frames" if fast else "camera"), source, Path(text)
    if text:
        source = parse_source(text)
        frames = source.kind == "file" and not options.realtime
        return ("frames" if frames else "camera"), source, None
    if list_devices():
        return "camera", parse_source("0"), None
    return "session", None, None


def check_span(session: Session, options: RunOptions) -> None:
    """Hold the part of a recording that is to be played to the recording; raises SettingsError."""
    from_s, to_s = options.from_s, options.to_s
    if to_s is not None and to_s <= from_s:
        raise SettingsError("--to", f"{to_s:g} s", f"a time after --from, {from_s:g} s")
    if from_s > 0 and from_s > session.duration_s:
        raise SettingsError(
            "--from",
            f"{from_s:g} s",
            f"up to {session.duration_s:.1f} s, the end of {session.path}",
        )


def recorded_sitters(plan: Plan) -> Iterator[Sitters]:
    """The sitters of a recording, or of the bundled session, over and over where asked."""
    if plan.session is not None:
        options, session = plan.options, open_session(plan.session)
        for later_s, before in again(options.loop, lasts_s(options, session)):
            for sitters in session.sitters(options.from_s, options.to_s):
                yield renumbered(sitters, later_s - options.from_s, before)
        return
    for later_s, before in again(True, BUNDLED_S):
        for sitters in synthesise(BUNDLED_S, BUNDLED_SEED):
            yield renumbered(sitters, later_s, before)


def lasts_s(options: RunOptions, session: Session) -> float:
    """The length of the part of a recording that is asked for."""
    end_s = session.duration_s if options.to_s is None else options.to_s
    return max(end_s - options.from_s, 0.1)


def again(loop: bool, length_s: float) -> Iterator[tuple[float, int]]:
    """For each time round: how much later it is, and how far ids are moved up."""
    for n in itertools.count() if loop else range(1):
        yield n * length_s, n * IDS_A_ROUND


def renumbered(sitters: Sitters, later_s: float, before: int) -> Sitters:
    """The same sitters so much later, after so many others: whoever comes again is somebody new."""
    if not (later_s or before):
        return sitters
    return Sitters(
        sitters.time_s + later_s,
        tuple(dataclasses.replace(each, id=each.id + before) for each in sitters.sitters),
        tuple(id + before for id in sitters.arrived),
        tuple(id + before for id in sitters.left),
    )
