"""``calibrate screen``, ``latency`` and ``mirror``: the screen, and the camera before it."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

from pathlib import Path
from typing import Annotated, Optional

import typer

from calibration.flags import (
    Json,
    NoSave,
    Operator,
    Site,
    Source,
    Text,
    Yes,
    asker_for,
)
from mirror.console import example
from mirror.options import seconds_from, size_from

app = typer.Typer()


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
