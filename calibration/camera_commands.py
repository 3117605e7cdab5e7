"""``calibrate camera`` and ``calibrate light``: what the camera is, and what it sees."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

from typing import Annotated

import typer

from calibration.flags import (
    Json,
    NoSave,
    Operator,
    Seconds,
    Site,
    Source,
    Text,
    Yes,
    asker_for,
)
from mirror.console import example
from mirror.options import seconds_from, size_from
from mirror.settings import CameraSettings
from mirror.site.site import checked

app = typer.Typer()


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
