"""``python -m calibration``, also installed as ``calibrate``: the technician's command line."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated, Optional

import typer

from mirror.console import answer, example, listen
from mirror.settings import Settings
from mirror.site import as_toml, read_site, resolved, site_path, without_password

Site = Annotated[str, typer.Option("--site", metavar="NAME", help="Site file in calibration/.")]

app = typer.Typer(
    help="Look at and check the file that describes a site.",
    epilog=example("calibrate check --site site"),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def begin(context: typer.Context) -> None:
    """Before every command."""
    listen(verbose=False)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(epilog=example("calibrate show --defaults > calibration/foyer.toml"))
def show(
    site: Site = "site",
    defaults: Annotated[
        bool, typer.Option("--defaults", help="The defaults: a beginning for a new site file.")
    ] = False,
) -> None:
    """Print every setting, its meaning and limits. What it prints is a site file."""
    settings = Settings() if defaults else read_site(site)
    camera = dataclasses.replace(settings.camera, source=without_password(settings.camera.source))
    typer.echo(as_toml(dataclasses.replace(settings, camera=camera)), nl=False)


@app.command(epilog=example("calibrate check --site foyer"))
def check(site: Site = "site") -> None:
    """Check a site file. Says which settings differ from the defaults."""
    found, usual = resolved(read_site(site)), resolved(Settings())
    typer.echo(f"{site_path(site)}: every key is known and every value allowed")
    for name, value in found.items():
        for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
            default = usual[name][key] if key else usual[name]
            if inner != default:
                place = f"[{name}] {key}" if key else name
                typer.echo(f"  {place} = {inner!r}, by default {default!r}")


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command line and return its exit status."""
    return answer(app, "calibrate", arguments)


if __name__ == "__main__":
    sys.exit(main())
