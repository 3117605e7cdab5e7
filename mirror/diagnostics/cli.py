"""``mirror bench`` and ``mirror doctor``."""

# No `from __future__ import annotations` here: on Python 3.9 typer cannot read it.

import typer

from mirror.console import example
from mirror.flags import Json, Site, check_json

app = typer.Typer()


@app.command(epilog=example("mirror bench --json bench.json"))
def bench(json: Json = None) -> None:
    """Measure every stage, and one picture of each model."""
    check_json(json)
    from mirror.diagnostics.bench import bench as time_stages

    time_stages(json)


@app.command(epilog=example("mirror doctor --json doctor.json"))
def doctor(json: Json = None, site: Site = "site") -> None:
    """Say what is there and what is missing. Exit status 0 only if `mirror run` would work."""
    check_json(json)
    from mirror.diagnostics.doctor import doctor as examine

    diagnosis = examine(json, site)
    typer.echo(diagnosis.text())
    raise typer.Exit(0 if diagnosis.works else 1)
