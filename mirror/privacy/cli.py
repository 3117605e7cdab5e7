"""``mirror privacy``."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

from typing import Annotated

import typer

from mirror.console import example
from mirror.flags import File, Json, Site, Text, flag

app = typer.Typer()


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
    from mirror.privacy.telling import tell

    raise typer.Exit(tell(site, json, languages, page, prove, saved))
