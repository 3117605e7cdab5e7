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
from mirror.site.site import as_toml, changes, checked, read_site, without_password

if TYPE_CHECKING:
    from calibration.asking import Asker

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
    logging.getLogger("mirror").setLevel(logging.ERROR)  # verdicts tell what a camera does
    if context.invoked_subcommand is None:
        from calibration.asking import somebody_answers

        if somebody_answers():
            guide("site", "")
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


@app.command(epilog=example("calibrate screen --site foyer --auto --source http://10.0.0.7/video"))
def screen(
    site: Site = "site",
    list_only: Annotated[bool, typer.Option("--list", help="List the monitors, and end.")] = False,
    monitor: Annotated[Text, typer.Option("--monitor", metavar="NAME", help="Its name.")] = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="By a camera that sees the whole screen.")
    ] = False,
    marks: Annotated[
        bool, typer.Option("--marks", help="With --auto: between four marks on the wall.")
    ] = False,
    source: Source = "",
    turn: Annotated[
        Text, typer.Option("--turn", metavar="DEG", help="Clockwise: 0, 90, 180, 270.")
    ] = None,
    keystone: Annotated[
        Text, typer.Option("--keystone", metavar="PLACES", help='"0,0 1,0 1,1 0,1", or none.')
    ] = None,
    mask: Annotated[
        Text, typer.Option("--mask", metavar="PLACES", help='"0,0 1,0 0.9,1", or none.')
    ] = None,
    window: Annotated[bool, typer.Option("--window", help="A window, not full screen.")] = False,
    size: Annotated[Text, typer.Option("--size", metavar="WxH", help="Of that window.")] = None,
    still: Annotated[
        Optional[Path], typer.Option("--still", metavar="FILE.png", help="Only draw the pattern.")
    ] = None,
    print_marks: Annotated[
        Optional[Path], typer.Option("--print-marks", metavar="FILE.png", help="Only draw marks.")
    ] = None,
    seconds: Annotated[
        Text, typer.Option("--seconds", metavar="S", help="Time for a hand; then as it was.")
    ] = None,
    operator: Operator = "",
    json: Json = None,
    yes: Yes = False,
    no_save: NoSave = False,
) -> None:
    """Choose the monitor, and lay the picture on the wall: by hand, or by what a camera sees."""
    from calibration import screen_step
    from calibration.asking import number_for
    from calibration.verdicts import check_json, status, write_told
    from mirror.options import check_output
    from mirror.screen.monitors import list_monitors
    from mirror.settings import ScreenSettings

    check_json(json)
    wishes = screen_step.ScreenWishes(
        monitor=monitor,
        turn_deg=number_for("--turn", turn, ScreenSettings, "turn_deg"),
        keystone=screen_step.points_from("--keystone", "keystone", keystone),
        mask=screen_step.points_from("--mask", "mask", mask),
        auto=auto or marks,
        marks=marks,
        source=source,
        window=window,
        size=size_from(size),
        seconds=seconds_from(seconds),
    )
    asker = asker_for(yes or wishes.auto or wishes.told, json)
    if list_only:
        for each in list_monitors():
            asker.say(str(each))
        return
    for flag, path in (("--still", still), ("--print-marks", print_marks)):
        if path is not None:
            check_output(flag, path, ".png")
    if print_marks is not None:
        return screen_step.print_marks(print_marks, asker)
    if still is not None:
        return screen_step.write_pattern(still, site, wishes)
    verdicts = screen_step.calibrate_screen(site, wishes, asker, operator, not no_save)
    write_told(json, verdicts, step="screen", site=site)
    raise typer.Exit(status(verdicts))


@app.command(epilog=example("calibrate latency --site foyer --source http://10.0.0.7/video"))
def latency(
    site: Site = "site",
    source: Source = "",
    flashes: Annotated[
        int, typer.Option("--flashes", min=5, max=1000, help="So many codes, three a second.")
    ] = 40,
    piece: Annotated[
        float, typer.Option("--piece", metavar="S", min=0, help="Also run the piece for so long.")
    ] = 0.0,
    window: Annotated[bool, typer.Option("--window", help="A window, not full screen.")] = False,
    operator: Operator = "",
    json: Json = None,
    yes: Yes = False,
    no_save: NoSave = False,
) -> None:
    """Measure how long it takes from the screen's glass to the camera's and into the program."""
    from calibration.latency_step import calibrate_latency
    from calibration.verdicts import check_json, status, write_told

    check_json(json)
    asker = asker_for(yes or bool(source), json)
    verdicts = calibrate_latency(site, source, flashes, window, piece, asker, operator, not no_save)
    write_told(json, verdicts, step="latency", site=site)
    raise typer.Exit(status(verdicts))


@app.command(epilog=example("calibrate mirror --site foyer --eye-level 0.4"))
def mirror(
    site: Site = "site",
    source: Source = "",
    near_only: Annotated[
        bool, typer.Option("--near-only", help="One line, where the floor is short.")
    ] = False,
    eye_level: Annotated[
        Optional[float],
        typer.Option("--eye-level", min=0, max=1, help="Of the person, from the picture's top."),
    ] = None,
    walk: Annotated[
        float, typer.Option("--walk", min=0, max=60, help="Seconds from mark to mark.")
    ] = 4.0,
    window: Annotated[bool, typer.Option("--window", help="A window, not full screen.")] = False,
    operator: Operator = "",
    json: Json = None,
    yes: Yes = False,
    no_save: NoSave = False,
) -> None:
    """Find where on the screen a sitter appears: left and right, the camera's place, the floor."""
    from calibration.mirror_step import calibrate_mirror
    from calibration.verdicts import check_json, status, write_told

    check_json(json)
    asker = asker_for(yes, json)
    verdicts = calibrate_mirror(
        site, source, near_only, eye_level, walk, window, asker, operator, not no_save
    )
    write_told(json, verdicts, step="mirror", site=site)
    raise typer.Exit(status(verdicts))


@app.command(epilog=example("calibrate show --defaults > calibration/foyer.toml"))
def show(
    site: Site = "site",
    defaults: Annotated[
        bool, typer.Option("--defaults", help="The defaults: a beginning for a new site file.")
    ] = False,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what differs from the defaults.")
    ] = False,
) -> None:
    """Print every setting, its meaning and limits. What it prints is a site file."""
    settings = Settings() if defaults else read_site(site)
    if changed:
        return typer.echo("\n".join(changes(settings)))
    camera = dataclasses.replace(settings.camera, source=without_password(settings.camera.source))
    typer.echo(as_toml(dataclasses.replace(settings, camera=camera)), nl=False)


@app.command(epilog=example("calibrate check --site foyer --json morning.json"))
def check(
    site: Site = "site",
    seconds: Seconds = None,
    stored: Annotated[
        bool, typer.Option("--stored", help="Judge what was measured; look at nothing.")
    ] = False,
    no_machine: Annotated[
        bool, typer.Option("--no-machine", help="Leave out what `mirror doctor` looks at.")
    ] = False,
    json: Json = None,
) -> None:
    """Everything in one table, with limits. Exit status 0: good; 1: not; 3: not measured."""
    from calibration.check_step import check_site
    from calibration.verdicts import check_json, status, write_told

    check_json(json)
    duration_s = seconds_from(seconds) or 5.0
    machine = not (stored or no_machine)
    verdicts = check_site(site, duration_s, asker_for(True, json), not stored, machine)
    write_told(json, verdicts, step="check", site=site, changed=changes(read_site(site)))
    raise typer.Exit(status(verdicts))


@app.command(epilog=example("calibrate guide --site foyer --operator Ada"))
def guide(site: Site = "site", operator: Operator = "") -> None:
    """Be led from step to step, from the boxes to a tuned site. Without a command the same."""
    from calibration.guide import lead

    known = [each.name or "" for each in typer_commands()]
    raise typer.Exit(lead(run_step, known, site, operator, asker_for(False, None)))


def typer_commands() -> Sequence[typer.models.CommandInfo]:
    """The commands that there are; those without a name are called as their function."""
    for each in app.registered_commands:
        each.name = each.name or getattr(each.callback, "__name__", "")
    return app.registered_commands


def run_step(words: Sequence[str]) -> int:
    """Run one command for the guide; its errors are raised."""
    status = app(list(words), prog_name="calibrate", standalone_mode=False)
    return status if isinstance(status, int) else 0


def asker_for(silent: bool, json: Optional[Path]) -> "Asker":
    """Who asks questions: nobody where a flag or a script has answered them."""
    from calibration.asking import Asker, somebody_answers
    from calibration.verdicts import screen

    return Asker(screen(quiet=str(json) == "-"), somebody_answers() and not silent)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command line and return its exit status."""
    return answer(app, "calibrate", arguments)


if __name__ == "__main__":
    sys.exit(main())
