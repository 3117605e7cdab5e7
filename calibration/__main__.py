"""``python -m calibration``, also installed as ``calibrate``: the technician's command line."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

import dataclasses
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mirror.console import answer, example, listen
from mirror.options import seconds_from, size_from
from mirror.settings import CameraSettings, Settings
from mirror.site import as_toml, checked, read_site, resolved, site_path, without_password

if TYPE_CHECKING:
    from calibration.asking import Asker

LOG = logging.getLogger("mirror")
Text = Optional[str]
Site = Annotated[str, typer.Option("--site", metavar="NAME", help="Site file in calibration/.")]
Operator = Annotated[str, typer.Option("--operator", metavar="WHO", help="Who calibrates.")]
Json = Annotated[
    Optional[Path], typer.Option("--json", metavar="FILE", help="Write the result; - prints it.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing; take what is usual.")]
NoSave = Annotated[bool, typer.Option("--no-save", help="Measure only; the site stays.")]
Source = Annotated[
    str, typer.Option("--source", metavar="CAMERA", help="Number, path, name, address or film.")
]
Seconds = Annotated[Text, typer.Option("--seconds", metavar="S", help="Measure for so long.")]

app = typer.Typer(
    help="From boxes to a tuned site, step by step, and in numbers whether it is good.",
    epilog=example("calibrate camera --site foyer"),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def begin(context: typer.Context) -> None:
    """Before every command."""
    listen(verbose=False)
    LOG.setLevel(logging.ERROR)  # verdicts tell what a camera does
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(epilog=example("calibrate camera --site foyer --source 0 --size 1280x720 --lock"))
def camera(
    site: Site = "site",
    source: Source = "",
    list_only: Annotated[bool, typer.Option("--list", help="List the cameras, and end.")] = False,
    size: Annotated[Text, typer.Option("--size", metavar="WxH", help="Of its pictures.")] = None,
    rate: Annotated[Text, typer.Option("--rate", metavar="HZ", help="Pictures a second.")] = None,
    format: Annotated[
        Text, typer.Option("--format", metavar="F", help="MJPG, YUYV, NV12, GREY or auto.")
    ] = None,
    exposure: Annotated[
        Text, typer.Option("--exposure", metavar="MS", help="Milliseconds; 0: as it is.")
    ] = None,
    gain: Annotated[
        Text, typer.Option("--gain", metavar="N", help="In the camera's unit; -1: as it is.")
    ] = None,
    white_balance: Annotated[
        Text, typer.Option("--white-balance", metavar="K", help="Kelvin; 0: as it is.")
    ] = None,
    focus: Annotated[
        Text, typer.Option("--focus", metavar="N", help="In the camera's unit; -1: as it is.")
    ] = None,
    lock: Annotated[bool, typer.Option("--lock", help="Keep what it chooses by itself.")] = False,
    seconds: Seconds = None,
    operator: Operator = "",
    json: Json = None,
    yes: Yes = False,
    no_save: NoSave = False,
) -> None:
    """Choose a camera, set and lock it, read it back, and measure what it really gives."""
    from calibration.asking import number_for
    from calibration.camera_step import CameraWishes, calibrate_camera
    from calibration.choosing import show_cameras
    from calibration.verdicts import check_json, screen, status, write_told
    from mirror.camera import list_devices

    if list_only:
        return show_cameras(screen(), list_devices())
    check_json(json)
    width_px, height_px = size_from(size) or (None, None)
    wishes = CameraWishes(
        source=source,
        width_px=number_for("--size", size and str(width_px), CameraSettings, "width_px"),
        height_px=number_for("--size", size and str(height_px), CameraSettings, "height_px"),
        rate_hz=number_for("--rate", rate, CameraSettings, "rate_hz"),
        format=format and checked("--format", CameraSettings, "format", format),
        exposure_ms=number_for("--exposure", exposure, CameraSettings, "exposure_ms"),
        gain=number_for("--gain", gain, CameraSettings, "gain"),
        white_balance_k=number_for(
            "--white-balance", white_balance, CameraSettings, "white_balance_k"
        ),
        focus=number_for("--focus", focus, CameraSettings, "focus"),
        lock=lock,
        seconds=seconds_from(seconds) or CameraWishes.seconds,
    )
    asker = asker_for(yes or bool(source), json)
    verdicts = calibrate_camera(site, wishes, asker, operator, not no_save)
    write_told(json, verdicts, step="camera", site=site)
    raise typer.Exit(status(verdicts))


@app.command(epilog=example("calibrate light --site foyer --mark near --distance 120"))
def light(
    site: Site = "site",
    mark: Annotated[
        Text, typer.Option("--mark", metavar="MARK", help="near, far or both: where one stands.")
    ] = None,
    distance: Annotated[
        Text, typer.Option("--distance", metavar="CM", help="From the camera to that mark.")
    ] = None,
    source: Source = "",
    seconds: Seconds = None,
    operator: Operator = "",
    json: Json = None,
    yes: Yes = False,
    no_save: NoSave = False,
) -> None:
    """Measure the light on the face of somebody who stands there, with plain advice."""
    from calibration.light_step import MARKS, LightWishes, calibrate_light
    from calibration.verdicts import check_json, status, write_told
    from mirror.errors import SettingsError

    check_json(json)
    asker = asker_for(yes, json)
    mark = mark or ("both" if asker.answers else "near")
    if mark not in (*MARKS, "both"):
        raise SettingsError("--mark", repr(mark), "near, far, both", "--mark near")
    wishes = LightWishes(
        mark=mark,
        distance_cm=seconds_from(distance, "--distance") or 0.0,
        source=source,
        seconds=seconds_from(seconds) or LightWishes.seconds,
    )
    verdicts = calibrate_light(site, wishes, asker, operator, not no_save)
    write_told(json, verdicts, step="light", site=site)
    raise typer.Exit(status(verdicts))


@app.command(epilog=example("calibrate show --defaults > calibration/foyer.toml"))
def show(
    site: Site = "site",
    defaults: Annotated[
        bool, typer.Option("--defaults", help="The defaults: a beginning for a new site file.")
    ] = False,
) -> None:
    """Print every setting, its meaning and limits. What it prints is a site file."""
    settings = Settings() if defaults else read_site(site)
    camera = dataclasses.replace(settings.camera, source=without_password(settings.camera.source))
    typer.echo(as_toml(dataclasses.replace(settings, camera=camera)), nl=False)


@app.command(epilog=example("calibrate check --site foyer"))
def check(site: Site = "site") -> None:
    """Check a site file. Says which settings differ from the defaults."""
    found, usual = resolved(read_site(site)), resolved(Settings())
    typer.echo(f"{site_path(site)}: every key is known and every value allowed")
    for name, value in found.items():
        for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
            default = usual[name][key] if key else usual[name]
            if inner != default:
                place = f"[{name}] {key}" if key else name
                typer.echo(f"  {place} = {inner!r}, by default {default!r}")


def asker_for(silent: bool, json: Optional[Path]) -> "Asker":
    """Who asks questions: nobody where a flag or a script has answered them."""
    from calibration.asking import Asker, somebody_answers
    from calibration.verdicts import screen

    return Asker(screen(quiet=str(json) == "-"), somebody_answers() and not silent)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command line and return its exit status."""
    level = LOG.level
    try:
        return answer(app, "calibrate", arguments)
    finally:
        LOG.setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
