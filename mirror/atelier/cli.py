"""``mirror train`` and ``mirror faces``: models are made, looked at and measured.

torch is imported only when a command is carried out, so that ``--help`` is quick.
"""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mirror import SCHOOLS
from mirror.console import example
from mirror.errors import SettingsError
from mirror.flags import File, Json, Seed, Text, check_json, flag
from mirror.options import check_output, minutes_from, seed_from
from mirror.places import home

app = typer.Typer()
faces_app = typer.Typer(
    help="Pictures and measures of the six models.",
    epilog=example("mirror faces sheet --out sheet.png"),
    rich_markup_mode=None,
)


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

    gauge(json, images, clips)
