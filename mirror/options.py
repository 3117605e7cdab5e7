"""What is asked of one run by flags: ``RunOptions``, and the words that flags are refused in.

Flags beat the site file: ``merge`` lays those that are set over the settings. Outputs are looked
at before anything starts, so that a run of three hours does not end without a place for its film.
"""

from __future__ import annotations

import dataclasses
import math
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirror.errors import SettingsError
from mirror.settings import CameraSettings, ScreenSettings, Settings
from mirror.site.site import allowed, checked

#: Longest run that may be asked for: ten years.
MOST_SECONDS = 10 * 366 * 86400


@dataclass(frozen=True)
class RunOptions:
    """The flags of one run. None or an empty source: as the settings say.

    source: index, stable path, URL, file or recorded session. piece: ``river``, ``uncanny`` or
    ``passersby``. screen: ``window`` or ``offscreen``. size: width and height in pixels.
    seconds: how long; None: as long as the source, or for ever. film, still, report, record:
    files to write. record_pictures: the recording holds pictures of people too.
    state: the file that the river is saved in and taken up from.
    realtime: a file plays in its own time; False: frame by frame, on the
    source's clock. loop: a file begins again at its end.
    from_s, to_s: the part of a recording that is played; speed: times its own. pictures: what is
    played are its pictures, not its markers.
    osc, status: ports that show control and the status page are switched on at.
    """

    source: str = ""
    piece: str | None = None
    screen: str | None = None
    size: tuple[int, int] | None = None
    seconds: float | None = None
    seed: int | None = None
    film: Path | None = None
    still: Path | None = None
    report: Path | None = None
    record: Path | None = None
    record_pictures: bool = False
    state: Path | None = None
    realtime: bool = True
    loop: bool = False
    from_s: float = 0.0
    to_s: float | None = None
    speed: float = 1.0
    pictures: bool = False
    osc: int | None = None
    status: int | None = None


def merge(settings: Settings, options: RunOptions) -> Settings:
    """The settings with the flags of this run over them; raises SettingsError naming the flag.

    Merging twice gives the same.
    """
    screen: dict[str, Any] = {}
    if options.screen is not None:
        screen["kind"] = checked("--screen", ScreenSettings, "kind", options.screen)
    if options.size is not None:
        for name, value in zip(("width_px", "height_px"), options.size):
            screen[name] = checked("--size", ScreenSettings, name, value)
    changes: dict[str, Any] = {"screen": dataclasses.replace(settings.screen, **screen)}
    if options.source:
        changes["camera"] = with_source(settings.camera, options.source)
    for name, table in (("osc", settings.osc), ("status", settings.status)):
        if (port := getattr(options, name)) is not None:
            port = checked(f"--{name}", type(table), "port", port)
            changes[name] = dataclasses.replace(table, on=True, port=port)
    for name in ("piece", "seed"):
        if (value := getattr(options, name)) is not None:
            changes[name] = checked(f"--{name}", Settings, name, value)
    return dataclasses.replace(settings, **changes)


def with_source(camera: CameraSettings, source: str) -> CameraSettings:
    """The settings of a camera for a source: what was set for one camera is not set on another."""
    if source == camera.source:
        return camera
    usual = CameraSettings()
    return dataclasses.replace(
        camera,
        source=source,
        identity="",
        exposure_ms=usual.exposure_ms,
        gain=usual.gain,
        white_balance_k=usual.white_balance_k,
        focus=usual.focus,
    )


def check_outputs(options: RunOptions) -> None:
    """Hold the files to write to their kind and place; raises SettingsError naming the flag."""
    kinds = {"film": ".mp4", "still": ".png", "report": "", "record": ".mcap"}
    if options.state and options.record:
        raise SettingsError("--state", "with --record", "one of them: a recording begins fresh")
    outputs = {name: getattr(options, name) for name in kinds if getattr(options, name)}
    for name, path in outputs.items():
        check_output(f"--{name}", path, kinds[name])
    if options.record_pictures and not options.record:
        raise SettingsError(
            "--record-pictures", "nothing is recorded", "with --record", "--record FILE.mcap"
        )
    taken: dict[Path, str] = {}
    for name, path in outputs.items():
        other = taken.setdefault(path.resolve(), name)
        if other != name:
            raise SettingsError(f"--{name}", f"{path}, which --{other} names too", "another file")


def check_output(flag: str, path: Path, suffix: str = "") -> None:
    """Hold one file to write to its kind and place; raises SettingsError."""
    if suffix and path.suffix.lower() != suffix:
        attempt = f"{flag} {path.with_suffix(suffix)}" if path.name else ""
        raise SettingsError(flag, str(path), f"a file ending in {suffix}", attempt)
    if path.is_dir():
        raise SettingsError(flag, f"{path} is a folder", "a file to write")
    if not path.parent.is_dir():
        raise SettingsError(
            flag, f"no folder {path.parent}", "an existing folder", f"mkdir -p {path.parent}"
        )
    try:
        if path.exists():
            with open(path, "ab"):
                return
        with tempfile.TemporaryFile(dir=path.parent):  # leaves nothing behind
            return
    except OSError as error:
        found = f"{path} cannot be written ({error.strerror})"
        raise SettingsError(flag, found, "a folder that you may write to") from None


def size_from(text: str | None) -> tuple[int, int] | None:
    """``640x360`` as width and height in pixels; raises SettingsError."""
    if text is None:
        return None
    if not (found := re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", text.strip())):
        raise SettingsError("--size", repr(text), "WIDTHxHEIGHT in pixels", "--size 1280x720")
    size = int(found[1]), int(found[2])
    for name, value in zip(("width_px", "height_px"), size):
        try:
            checked("--size", ScreenSettings, name, value)
        except SettingsError:
            limits = allowed(ScreenSettings, name)
            raise SettingsError(
                "--size", repr(text), f"{name[:-3]}: {limits}", "--size 1280x720"
            ) from None
    return size


def seconds_from(text: str | None, flag: str = "--seconds") -> float | None:
    """A duration in seconds, more than 0; raises SettingsError."""
    return None if text is None else _number(flag, text, MOST_SECONDS, f"{flag} 60")


def moment_from(text: str | None, flag: str) -> float | None:
    """A time in a recording, seconds from its begin, 0 or more; raises SettingsError."""
    return (
        0.0 if text is not None and re.fullmatch(r"0+(\.0*)?", text) else seconds_from(text, flag)
    )


def minutes_from(text: str | None) -> float | None:
    """A duration in minutes, more than 0; raises SettingsError."""
    return None if text is None else _number("--minutes", text, MOST_SECONDS / 60, "--minutes 10")


def speed_from(text: str | None) -> float:
    """How many times its own speed a recording is played, more than 0; raises SettingsError."""
    return 1.0 if text is None else _number("--speed", text, 100.0, "--speed 2")


def seed_from(text: str | None) -> int | None:
    """The seed of all that is drawn by lot; raises SettingsError."""
    if text is None:
        return None
    value: Any = int(text) if re.fullmatch(r"[+-]?\d{1,18}", text.strip()) else text
    return int(checked("--seed", Settings, "seed", value))


def port_from(flag: str, text: str | None) -> int | None:
    """The number of a port; raises SettingsError. Its limits are held by ``merge``."""
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,6}", text.strip()):
        raise SettingsError(flag, repr(text), "a whole number from 0 to 65535")
    return int(text)


def _number(flag: str, text: str, most: float, attempt: str) -> float:
    """A number above 0 and at most ``most``."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= most:
        raise SettingsError(flag, repr(text), "a number above 0", attempt)
    return value
