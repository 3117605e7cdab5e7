"""The command line: all commands of ``mirror``, and what holds before each.

A room that has commands has a ``cli.py``. They are thin: a command reads its flags (``flags.py``),
holds them to what is allowed (``options.py``), imports its part of the program only then, so that
``--help`` is quick, and calls it. ``console.answer`` tells errors.
"""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

import sys
from collections.abc import Sequence
from typing import Annotated, Optional

import typer

from mirror import __version__
from mirror.atelier.cli import app as atelier
from mirror.atelier.cli import faces_app as faces
from mirror.console import answer, example, listen
from mirror.diagnostics.cli import app as diagnostics
from mirror.privacy.cli import app as privacy
from mirror.session.cli import app as session
from mirror.show.cli import app as show
from mirror.watch.cli import app as watch

app = typer.Typer(
    help="A river of portraits that answers whoever stands before it.",
    epilog=example("mirror run"),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for room in (show, watch, atelier, diagnostics, privacy):
    app.add_typer(room)
app.add_typer(session, name="session")
app.add_typer(faces, name="faces")


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


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command line and return its exit status."""
    return answer(app, "mirror", arguments)


if __name__ == "__main__":
    sys.exit(main())
