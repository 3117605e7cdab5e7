"""``mirror run`` and ``mirror replay``: the show, from its flags."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mirror.console import example
from mirror.errors import SettingsError
from mirror.flags import File, Seconds, Seed, Site, Text, flag
from mirror.options import (
    RunOptions,
    check_outputs,
    merge,
    moment_from,
    port_from,
    seconds_from,
    seed_from,
    size_from,
    speed_from,
)
from mirror.site.site import read_site

Piece = Annotated[Text, flag("--piece", metavar="PIECE", help="river, uncanny or passersby.")]
Screen = Annotated[Text, flag("--screen", metavar="KIND", help="window or offscreen.")]
Size = Annotated[Text, flag("--size", metavar="WxH", help="Size of the picture, pixels.")]
Film = Annotated[File, flag("--film", metavar="FILE.mp4", help="Write what is drawn as a film.")]
Still = Annotated[File, flag("--still", metavar="FILE.png", help="Write the last picture.")]
Told = Annotated[File, flag("--report", metavar="FILE.json", help="Write how the run went.")]

app = typer.Typer()


@app.command(epilog=example("mirror run --source 0 --piece river --seconds 60 --report a.json"))
def run(
    context: typer.Context,
    source: Annotated[
        Text, flag("--source", metavar="INDEX|URL|FILE", help="Camera, stream or film.")
    ] = None,
    piece: Piece = None,
    screen: Screen = None,
    size: Size = None,
    seconds: Seconds = None,
    seed: Seed = None,
    film: Film = None,
    still: Still = None,
    report: Told = None,
    record: Annotated[
        File, flag("--record", metavar="FILE.mcap", help="Record the session: markers only.")
    ] = None,
    record_pictures: Annotated[
        bool, typer.Option("--record-pictures", help="Record the camera's pictures of people too.")
    ] = False,
    state: Annotated[
        File, flag("--state", metavar="FILE", help="Save the river there; take it up again.")
    ] = None,
    realtime: Annotated[
        bool,
        typer.Option(
            "--realtime/--every-frame",
            help="A film plays in its own time, or frame by frame on its own clock.",
        ),
    ] = True,
    loop: Annotated[bool, typer.Option("--loop", help="Begin a film again at its end.")] = False,
    osc: Annotated[
        Text, flag("--osc", metavar="PORT", help="Heed OSC at this UDP port (docs/osc.md).")
    ] = None,
    status: Annotated[
        Text, flag("--status", metavar="PORT", help="Tell how the show is at this TCP port.")
    ] = None,
    site: Site = "site",
) -> None:
    """Show the piece. With no flags from the camera to the window, if there are any."""
    show(
        site,
        asked(
            context.params,
            source=source or "",
            record=record,
            record_pictures=record_pictures,
            state=state,
            realtime=realtime,
            osc=port_from("--osc", osc),
            status=port_from("--status", status),
        ),
    )


@app.command(epilog=example("mirror replay evening.mcap --fast --film evening.mp4"))
def replay(
    context: typer.Context,
    session: Annotated[Path, typer.Argument(metavar="SESSION.mcap", help="What to play.")],
    piece: Piece = None,
    screen: Screen = None,
    size: Size = None,
    seconds: Seconds = None,
    seed: Seed = None,
    film: Film = None,
    still: Still = None,
    report: Told = None,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as the machine can.")] = False,
    begin_at: Annotated[Text, flag("--from", metavar="S", help="Begin so far in.")] = None,
    end_at: Annotated[Text, flag("--to", metavar="S", help="End there.")] = None,
    speed: Annotated[Text, flag("--speed", metavar="X", help="Times its own speed.")] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Find markers anew, in the pictures recorded.")
    ] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at its end.")] = False,
    site: Site = "site",
) -> None:
    """Play a recorded session again, and hold the river against the recorded one."""
    if session.suffix.lower() != ".mcap":
        raise SettingsError("mirror replay", str(session), "a session, SESSION.mcap", "mirror run")
    show(
        site,
        asked(
            context.params,
            source=str(session),
            from_s=moment_from(begin_at, "--from") or 0.0,
            to_s=seconds_from(end_at, "--to"),
            speed=speed_from(speed),
            pictures=pictures,
        ),
        fast,
    )


def asked(given: Mapping[str, Any], **more: Any) -> RunOptions:
    """What is asked for by the flags that `run` and `replay` share, and by more of their own.

    given: by the names of the parameters above, as typer read them.
    """
    return RunOptions(
        piece=given["piece"],
        screen=given["screen"],
        size=size_from(given["size"]),
        seconds=seconds_from(given["seconds"]),
        seed=seed_from(given["seed"]),
        film=given["film"],
        still=given["still"],
        report=given["report"],
        loop=given["loop"],
        **more,
    )


def show(site: str, options: RunOptions, fast: bool = False) -> None:
    """Run the show with what was asked for, and say in one line how it went."""
    settings = merge(read_site(site), options)
    check_outputs(options)
    from mirror.show.run import run

    told = run(settings, options, fast)
    if proof := told.get("replay"):
        typer.echo(proven(proof))
    typer.echo(
        f"{told['frames']} pictures, {told['fps']:.1f} a second, {len(told['visits'])} visits"
    )


def proven(proof: dict[str, Any]) -> str:
    """How the replayed river compares with the recorded one, in one line."""
    if proof["first_difference_s"] is not None:
        return f"the river differs from the recorded one: {proof['first_difference_s']:.1f} s"
    return f"the river is the recorded one: {proof['agreed']} hashes agree"
