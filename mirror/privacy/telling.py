"""What ``mirror privacy`` tells: what is computed, kept and sent; the notice; and the proof."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from mirror.errors import SettingsError
from mirror.options import check_output, seconds_from
from mirror.privacy.facts import facts
from mirror.privacy.notice import check_languages, notice, page
from mirror.privacy.statement import statement, text, told
from mirror.privacy.trace import trace
from mirror.privacy.words import LANGUAGES
from mirror.report import write_json
from mirror.site.site import read_site, site_path


def tell(
    site: str, json: Path | None, languages: str | None, page_file: Path | None,
    prove: str | None, saved: bool,
) -> int:  # fmt: skip
    """Do what the flags of ``mirror privacy`` ask for; returns the exit status."""
    settings = read_site(site)
    found, rows = facts(settings, saved), statement(settings, saved)
    spoken = [each.strip() for each in languages.split(",")] if languages else list(LANGUAGES)
    check_languages(spoken)
    seconds = seconds_from(prove, "--prove")
    if page_file is not None:
        check_output("--page", page_file, ".html")
    if json is not None:
        check_output("--json", json)
        write_json(json, {"site": str(site_path(site)), "statement": told(rows)})
    if page_file is not None:
        page_file.write_text(page(found, spoken), encoding="utf-8")
        typer.echo(f"{page_file}: the notice for the wall: {', '.join(spoken)}")
    elif languages:
        typer.echo("\n\n\n".join(notice(found, each) for each in spoken))
    elif seconds is None:
        typer.echo(text(rows, str(site_path(site))))
    return proof(site, seconds) if seconds is not None else 0


def proof(site: str, seconds: float) -> int:
    """Run the piece offscreen for so long in an empty folder, watched; 1 if it wrote anything."""
    source = site_path(site).resolve()
    if not source.is_file():
        raise SettingsError("--site", str(source), "a site file", "--site site")
    with tempfile.TemporaryDirectory(prefix="mirror-proof-") as folder:
        report = Path(folder) / "report.json"
        line = ["run", "--site", str(source), "--screen", "offscreen", "--seconds", f"{seconds:g}"]
        seen = trace([*line, "--report", str(report)], Path(folder), timeout_s=20 * seconds + 300)
        typer.echo(seen.text())
        left = [path for path in seen.unexplained if not Path(path).is_relative_to(folder)]
    typer.echo(
        "of the files, those of the report asked for lie in a folder that is gone by now; "
        + (f"other files: {', '.join(left)}" if left else "no other file was written")
    )
    return 0 if seen.status == 0 and not left else 1
