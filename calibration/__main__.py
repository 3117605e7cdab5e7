"""``python -m calibration``, also installed as ``calibrate``: the technician's command line."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

import dataclasses
import logging
import sys
from collections.abc import Sequence
from typing import Annotated, Optional

import typer

from calibration import camera_commands, screen_commands
from calibration.flags import Json, Operator, Seconds, Site, asker_for
from mirror.console import answer, example, listen
from mirror.options import seconds_from
from mirror.settings import Settings
from mirror.site.site import as_toml, changes, read_site, without_password

app = typer.Typer(
    help="From boxes to a tuned site, step by step, and in numbers whether it is good.",
    epilog=example("calibrate camera --site foyer"),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.registered_commands += camera_commands.app.registered_commands
app.registered_commands += screen_commands.app.registered_commands


@app.callback(invoke_without_command=True)
def begin(context: typer.Context) -> None:
    """Before every command."""
    listen(verbose=False)
    logging.getLogger("mirror").setLevel(logging.ERROR)  # verdicts tell what a camera does
    if context.invoked_subcommand is None:
        from calibration.asking import somebody_answers

        if somebody_answers():
            guide("site", "")
        typer.echo(context.get_help())


@app.command(epilog=example("calibrate show --defaults > calibration/foyer.toml"))
def show(
    site: Site = "site",
    defaults: Annotated[
        bool, typer.Option("--defaults", help="The defaults: a beginning for a new site file.")
    ] = False,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what differs from the defaults.")
    ] = False,
) -> None:
    """Print every setting, its meaning and limits. What it prints is a site file."""
    settings = Settings() if defaults else read_site(site)
    if changed:
        return typer.echo("\n".join(changes(settings)))
    camera = dataclasses.replace(settings.camera, source=without_password(settings.camera.source))
    typer.echo(as_toml(dataclasses.replace(settings, camera=camera)), nl=False)


@app.command(epilog=example("calibrate check --site foyer --json morning.json"))
def check(
    site: Site = "site",
    seconds: Seconds = None,
    stored: Annotated[
        bool, typer.Option("--stored", help="Judge what was measured; look at nothing.")
    ] = False,
    no_machine: Annotated[
        bool, typer.Option("--no-machine", help="Leave out what `mirror doctor` looks at.")
    ] = False,
    json: Json = None,
) -> None:
    """Everything in one table, with limits. Exit status 0: good; 1: not; 3: not measured."""
    from calibration.check_step import check_site
    from calibration.verdicts import check_json, status, write_told

    check_json(json)
    duration_s = seconds_from(seconds) or 5.0
    machine = not (stored or no_machine)
    verdicts = check_site(site, duration_s, asker_for(True, json), not stored, machine)
    write_told(json, verdicts, step="check", site=site, changed=changes(read_site(site)))
    raise typer.Exit(status(verdicts))


@app.command(epilog=example("calibrate guide --site foyer --operator Ada"))
def guide(site: Site = "site", operator: Operator = "") -> None:
    """Be led from step to step, from the boxes to a tuned site. Without a command the same."""
    from calibration.guide import lead

    known = [each.name or "" for each in typer_commands()]
    raise typer.Exit(lead(run_step, known, site, operator, asker_for(False, None)))


def typer_commands() -> Sequence[typer.models.CommandInfo]:
    """The commands that there are; those without a name are called as their function."""
    for each in app.registered_commands:
        each.name = each.name or getattr(each.callback, "__name__", "")
    return app.registered_commands


def run_step(words: Sequence[str]) -> int:
    """Run one command for the guide; its errors are raised."""
    status = app(list(words), prog_name="calibrate", standalone_mode=False)
    return status if isinstance(status, int) else 0


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command line and return its exit status."""
    return answer(app, "calibrate", arguments)


if __name__ == "__main__":
    sys.exit(main())
