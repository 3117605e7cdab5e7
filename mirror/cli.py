"""The command line: flags come in, the program's parts are called with settings and options.

Thin on purpose. A command reads its flags, holds them to what is allowed, imports its part of
the program only then (so that ``--help`` is quick) and calls it. ``console.answer`` tells errors.
"""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from mirror import SCHOOLS, __version__
from mirror.console import answer, example, listen
from mirror.errors import SettingsError
from mirror.options import (
    RunOptions,
    check_output,
    check_outputs,
    merge,
    minutes_from,
    port_from,
    seconds_from,
    seed_from,
    size_from,
    speed_from,
)
from mirror.session.cli import app as session_app
from mirror.settings import Settings
from mirror.site import read_site

Text = Optional[str]
File = Optional[Path]


def flag(*names: str, metavar: str, help: str) -> Any:
    """An option that takes a value; its text is read and held to its limits by ``options``."""
    return typer.Option(*names, metavar=metavar, help=help, show_default=False)


Site = Annotated[str, typer.Option("--site", metavar="NAME", help="Site file in calibration/.")]
Piece = Annotated[Text, flag("--piece", metavar="PIECE", help="river, uncanny or passersby.")]
Screen = Annotated[Text, flag("--screen", metavar="KIND", help="window or offscreen.")]
Size = Annotated[Text, flag("--size", metavar="WxH", help="Size of the picture, pixels.")]
Seconds = Annotated[Text, flag("--seconds", metavar="S", help="End after so many seconds.")]
Seed = Annotated[Text, flag("--seed", metavar="N", help="Seed of all that is drawn by lot.")]
Film = Annotated[File, flag("--film", metavar="FILE.mp4", help="Write what is drawn as a film.")]
Still = Annotated[File, flag("--still", metavar="FILE.png", help="Write the last picture.")]
Told = Annotated[File, flag("--report", metavar="FILE.json", help="Write how the run went.")]
Json = Annotated[File, flag("--json", metavar="FILE", help="Write the result as JSON.")]

app = typer.Typer(
    help="A river of portraits that answers whoever stands before it.",
    epilog=example("mirror run"),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
faces_app = typer.Typer(
    help="Pictures and measures of the six models.",
    epilog=example("mirror faces sheet --out sheet.png"),
    rich_markup_mode=None,
)
app.add_typer(session_app, name="session")
app.add_typer(faces_app, name="faces")


@app.callback(invoke_without_command=True)
def begin(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell what the stages do.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Say the version.")] = False,
) -> None:
    """Before every command."""
    listen(verbose)
    if version:
        typer.echo(f"mirror {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(epilog=example("mirror run --source 0 --piece river --seconds 60 --report a.json"))
def run(
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
        RunOptions(
            source=source or "",
            piece=piece,
            screen=screen,
            size=size_from(size),
            seconds=seconds_from(seconds),
            seed=seed_from(seed),
            film=film,
            still=still,
            report=report,
            record=record,
            record_pictures=record_pictures,
            state=state,
            realtime=realtime,
            loop=loop,
            osc=port_from("--osc", osc),
            status=port_from("--status", status),
        ),
    )


@app.command(epilog=example("mirror replay evening.mcap --fast --film evening.mp4"))
def replay(
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
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at its end.")] = False,
    site: Site = "site",
) -> None:
    """Play a recorded session again, and hold the river against the recorded one."""
    if session.suffix.lower() != ".mcap":
        raise SettingsError("mirror replay", str(session), "a session, SESSION.mcap", "mirror run")
    show(
        site,
        RunOptions(
            source=str(session),
            piece=piece,
            screen=screen,
            size=size_from(size),
            seconds=seconds_from(seconds),
            seed=seed_from(seed),
            film=film,
            still=still,
            report=report,
            loop=loop,
            from_s=seconds_from(begin_at, "--from") or 0.0,
            to_s=seconds_from(end_at, "--to"),
            speed=speed_from(speed),
        ),
        fast,
    )


@app.command(
    epilog=example("mirror watch --source 0 --piece river"),
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def watch(
    context: typer.Context,
    state: Annotated[
        File, flag("--state", metavar="FILE", help="Where the river is saved; else the site's.")
    ] = None,
    site: Site = "site",
) -> None:
    """Keep `mirror run` running, for months: all its flags may be given, and are passed on."""
    from mirror import watch as supervisor
    from mirror.places import state_file

    settings = read_site(site)
    arguments = ["--site", site, *context.args]
    held_to_their_limits(arguments)
    raise typer.Exit(
        supervisor.watch(arguments, state or state_file(settings.watch.state), settings.watch)
    )


@app.command(
    epilog=example("mirror service hall > ~/.config/systemd/user/mirror.service"),
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def service(
    context: typer.Context,
    site: Annotated[
        str, typer.Argument(metavar="SITE", help="Site file in calibration/.")
    ] = "site",
) -> None:
    """Print the systemd unit that keeps the piece running; `make install-service` installs it."""
    from mirror.unit import unit

    held_to_their_limits(["--site", site, *context.args])
    typer.echo(unit(site, context.args), nl=False)


def held_to_their_limits(arguments: Sequence[str]) -> Settings:
    """Refuse flags that `mirror run` would refuse, now rather than again and again; what they
    and the site ask for."""
    command = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]
    given = command.make_context("mirror run", list(arguments)).params
    return merge(
        read_site(given["site"]),
        RunOptions(
            source=given["source"] or "", piece=given["piece"], screen=given["screen"],
            size=size_from(given["size"]), seconds=seconds_from(given["seconds"]),
            seed=seed_from(given["seed"]),
        ),
    )  # fmt: skip


def show(site: str, options: RunOptions, fast: bool = False) -> None:
    """Run the show with what was asked for, and say in one line how it went."""
    settings = merge(read_site(site), options)
    check_outputs(options)
    from mirror import show

    told = show.run(settings, options, fast)
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


@app.command(epilog=example("mirror train panel --images portraits --minutes 15"))
def train(
    schools: Annotated[
        list[str], typer.Argument(metavar="SCHOOL|all", help=f"all, or: {', '.join(SCHOOLS)}.")
    ],
    images: Annotated[
        Path, typer.Option("--images", metavar="DIR", help="Portraits and portraits.csv.")
    ],
    out: Annotated[
        File, flag("--out", metavar="DIR", help="Where the models go; else weights/.")
    ] = None,
    minutes: Annotated[Text, flag("--minutes", metavar="M", help="Time for each school.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from a checkpoint.")] = False,
    device: Annotated[str, typer.Option("--device", metavar="D", help="auto, cpu, cuda.")] = "auto",
    seed: Seed = None,
) -> None:
    """Train the models of one school or of all six on portraits."""
    from mirror.places import home

    names = named_schools(schools)
    allotted = minutes_from(minutes)
    if device not in ("auto", "cpu", "cuda"):
        raise SettingsError("--device", repr(device), "auto, cpu, cuda", "--device auto")
    if not images.is_dir():
        raise SettingsError("--images", f"no folder {images}", "a folder of portraits")
    from mirror.atelier.train import train as teach

    teach(names, images, out or home() / "weights", allotted, resume, device, seed_from(seed) or 0)


def named_schools(names: Sequence[str]) -> list[str]:
    """The schools that are meant, in the fixed order; ``all`` means all six."""
    for name in names:
        if name not in (*SCHOOLS, "all"):
            raise SettingsError("mirror train", repr(name), f"all, {', '.join(SCHOOLS)}")
    return [school for school in SCHOOLS if school in names or "all" in names]


@faces_app.command(epilog=example("mirror faces sheet --out sheet.png"))
def sheet(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.png", help="Picture to write.")],
) -> None:
    """Draw portraits of all six models side by side, to judge them by eye."""
    check_output("--out", out, ".png")
    from mirror.atelier.sheet import sheet as draw

    draw(out)


@faces_app.command(epilog=example("mirror faces measure --json faces.json"))
def measure(
    json: Json = None,
    images: Annotated[
        File, flag("--images", metavar="DIR", help="Training portraits, to measure likeness.")
    ] = None,
    clips: Annotated[
        File, flag("--clips", metavar="DIR", help="Films of people; else synthetic sitters move.")
    ] = None,
) -> None:
    """Measure how well the six models obey and what they paint."""
    check_json(json)
    from mirror.atelier.measure import measure as gauge

    say(gauge(json, images, clips))


@app.command(epilog=example("mirror bench --json bench.json"))
def bench(json: Json = None) -> None:
    """Measure every stage, and one picture of each model."""
    check_json(json)
    from mirror.bench import bench as time_stages

    say(time_stages(json))


@app.command(epilog=example("mirror doctor --json doctor.json"))
def doctor(json: Json = None, site: Site = "site") -> None:
    """Say what is there and what is missing. Exit status 0 only if `mirror run` would work."""
    check_json(json)
    from mirror.doctor import doctor as examine

    diagnosis = examine(json, site)
    typer.echo(diagnosis.text())
    raise typer.Exit(0 if diagnosis.works else 1)


@app.command(epilog=example("mirror privacy --page notice.html --languages en,de"))
def privacy(
    site: Site = "site",
    json: Json = None,
    languages: Annotated[
        Text, flag("--languages", metavar="en,de", help="The notice, in these; with --page: all.")
    ] = None,
    page: Annotated[
        File, flag("--page", metavar="FILE.html", help="Write the notice for the wall, to print.")
    ] = None,
    prove: Annotated[
        Text, flag("--prove", metavar="S", help="Run so long; list every write and connection.")
    ] = None,
    saved: Annotated[
        bool,
        typer.Option(
            "--saved/--not-saved", help="The river is saved for restarts, as `mirror watch` does."
        ),
    ] = True,
) -> None:
    """Say what is computed, kept and sent, and for how long; make the notice; prove it."""
    from mirror.privacy.cli import privacy as tell

    raise typer.Exit(tell(site, json, languages, page, prove, saved))


def check_json(path: File) -> None:
    """Hold ``--json`` to a place that can be written."""
    if path is not None:
        check_output("--json", path)


def say(told: Any) -> None:
    """Print what a part of the program has to say, if it says anything."""
    if isinstance(told, str):
        typer.echo(told)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command line and return its exit status."""
    return answer(app, "mirror", arguments)


if __name__ == "__main__":
    sys.exit(main())
