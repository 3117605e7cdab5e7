"""``mirror session``: what is in a recording, whether it is whole, and what can be made of it."""

import json
from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from mirror.session.export import export as write
from mirror.session.film import film
from mirror.session.read import open_session
from mirror.session.recover import recover as mend
from mirror.session.schemas import RiverHash
from mirror.session.synthetic import write_synthetic
from mirror.session.verify import Survey, survey

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: Exit status of ``verify`` for a file that is damaged.
DAMAGED = 1

NewFile = Optional[Path]

app = typer.Typer(
    help="Look into recorded camera sessions, mend them, turn them into tables.",
    epilog="Example: mirror session info evening.mcap",
    rich_markup_mode=None,
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(metavar="SESSION.mcap", help="A recorded session.")]


@app.command(epilog="Example: mirror session info evening.mcap")
def info(
    session: File,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it as JSON.")] = False,
) -> None:
    """Tell what is inside: times, visits, settings, weights."""
    found = survey(session)
    if as_json:
        typer.echo(json.dumps(_fields(found), indent=1))
        return
    for name, value in _table(found):
        typer.echo(f"{name:<12} {value}")


@app.command(epilog="Example: mirror session verify evening.mcap")
def verify(session: File) -> int:
    """Check every checksum and every message; exit status 1 if anything is wrong."""
    found = survey(session)
    for flaw in found.flaws:
        typer.echo(flaw)
    if found.is_intact:
        typer.echo(f"{session}: intact, {sum(found.messages.values())} messages")
        return 0
    typer.echo(f"{session}: damaged; try: mirror session recover {session}")
    return DAMAGED


@app.command(epilog="Example: mirror session recover evening.mcap --out mended.mcap")
def recover(
    session: File,
    out: Annotated[
        NewFile,
        typer.Option("--out", metavar="FILE.mcap", help="The mended file.", show_default=False),
    ] = None,
) -> None:
    """Mend a file that was cut or damaged into a new one, and say what was lost."""
    found = mend(session, out)
    typer.echo(f"{session}: {found.statement}")
    if found.out:
        typer.echo(f"written: {found.out}")


@app.command(epilog="Example: mirror session export evening.mcap --out evening.npz")
def export(
    session: File,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="A new .csv, .npz or .mp4 file.")
    ],
) -> None:
    """Write the markers as a table, one row for each sitter at each moment, or as a film."""
    found = open_session(session)
    if out.suffix.lower() == ".mp4":
        typer.echo(f"{out}: {film(found, out)} pictures")
    else:
        typer.echo(f"{out}: {write(found, out)} rows")


@app.command(epilog="Example: mirror session synthesise --out sitters.mcap --seconds 60 --seed 1")
def synthesise(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.mcap", help="A new file.")],
    seconds: Annotated[float, typer.Option(help="How long.", min=1.0, max=7 * 86400.0)] = 60.0,
    seed: Annotated[int, typer.Option(help="Of all drawn by lot.", min=0, max=2**31 - 1)] = 1,
    rate: Annotated[float, typer.Option(help="Moments a second.", min=1.0, max=240.0)] = 30.0,
    aspect: Annotated[float, typer.Option(help="Of the picture.", min=0.2, max=5.0)] = 16 / 9,
) -> None:
    """Write a recording of sitters that never lived, for tests and rehearsals."""
    size = write_synthetic(out, seconds, seed, rate, aspect)
    typer.echo(f"{out}: {seconds:g} s, {size / 1e6:.1f} MB")


def _fields(found: Survey) -> dict[str, Any]:
    """The survey as JSON holds it."""
    counts = {"messages": dict(found.messages), "faults": dict(found.faults)}
    plain = replace(found, messages=Counter(), faults=Counter())
    return {**asdict(plain), **counts, "path": str(found.path), "is_intact": found.is_intact}


def _table(found: Survey) -> list[tuple[str, str]]:
    header = found.header
    rows = [("file", f"{found.path}, {found.bytes / 1e6:.2f} MB, {found.chunks} chunks")]
    if header:
        contents = "markers AND PICTURES OF PEOPLE" if header.pictures else "markers only"
        rows += [
            ("contents", contents),
            ("recorded", f"{_date(header.started_ns)} by mirror {header.version}"),
            ("recording", f"{header.recording}, part {header.part}"),
            ("source", header.source or "not told"),
            ("seed", str(header.seed)),
            ("weights", ", ".join(f"{s} {d[:12]}" for s, d in header.weights.items()) or "none"),
            ("settings", ", ".join(header.settings) or "none"),
            ("recovered", header.recovered or "no"),
        ]
    counts = ", ".join(f"{topic} {count}" for topic, count in sorted(found.messages.items()))
    faults = ", ".join(f"{kind} {count}" for kind, count in found.faults.items())
    rows += [
        ("time", f"{found.begin_s:.2f} to {found.end_s:.2f} s"),
        ("messages", counts or "none"),
        ("visits", f"{found.visits}, at most {found.sitters_most} sitters at once"),
        ("faults", faults or "none"),
        ("river", _river(found.last_hash)),
        ("state", "intact" if found.is_intact else f"damaged: {'; '.join(found.flaws)}"),
    ]
    return rows


def _river(last: Optional[RiverHash]) -> str:
    return f"{last.sha256} at {last.time_s:.2f} s" if last else "no hash"


def _date(started_ns: int) -> str:
    try:
        moment = EPOCH + timedelta(microseconds=started_ns // 1000)
    except OverflowError:  # a damaged or invented header
        return f"{started_ns} ns after 1970"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
