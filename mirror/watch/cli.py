"""``mirror watch`` and ``mirror service``: the show is kept running."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

from collections.abc import Sequence
from typing import Annotated

import typer

from mirror.console import example
from mirror.flags import File, Site, flag
from mirror.options import merge
from mirror.places import state_file
from mirror.settings import Settings
from mirror.show.cli import app as show_app
from mirror.show.cli import asked
from mirror.site.site import read_site
from mirror.watch import watch as supervisor
from mirror.watch.unit import unit

app = typer.Typer()


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

    held_to_their_limits(["--site", site, *context.args])
    typer.echo(unit(site, context.args), nl=False)


def held_to_their_limits(arguments: Sequence[str]) -> Settings:
    """Refuse flags that `mirror run` would refuse, now rather than again and again; what they and
    the site ask for."""
    command = typer.main.get_command(show_app).commands["run"]  # type: ignore[attr-defined]
    given = command.make_context("mirror run", list(arguments)).params
    return merge(read_site(given["site"]), asked(given, source=given["source"] or ""))
