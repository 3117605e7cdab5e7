"""Flags that several commands take: each is defined here once, with its help.

A flag's text is read and held to its limits by ``options``, so that all are refused in the same
words. A command lists the flags it takes in its signature: typer reads nothing else.
"""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from mirror.options import check_output

Text = Optional[str]
File = Optional[Path]


def flag(*names: str, metavar: str, help: str) -> Any:
    """An option that takes a value."""
    return typer.Option(*names, metavar=metavar, help=help, show_default=False)


Site = Annotated[str, typer.Option("--site", metavar="NAME", help="Site file in calibration/.")]
Seconds = Annotated[Text, flag("--seconds", metavar="S", help="End after so many seconds.")]
Seed = Annotated[Text, flag("--seed", metavar="N", help="Seed of all that is drawn by lot.")]
Json = Annotated[File, flag("--json", metavar="FILE", help="Write the result as JSON.")]


def check_json(path: File) -> None:
    """Hold ``--json`` to a place that can be written."""
    if path is not None:
        check_output("--json", path)
