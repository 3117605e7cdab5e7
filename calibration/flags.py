"""Flags that several steps take, each with its help, and who is asked where none was given."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

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


def asker_for(silent: bool, json: Optional[Path]) -> "Asker":
    """Who asks questions: nobody where a flag or a script has answered them."""
    from calibration.asking import Asker, somebody_answers
    from calibration.verdicts import screen

    return Asker(screen(quiet=str(json) == "-"), somebody_answers() and not silent)
