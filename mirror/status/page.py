"""The status page: signs come in, HTML goes out. Dark, one column, nothing from elsewhere.

Without its script it is renewed by hand; with it, every two seconds. Styles and script are files
of their own, so that the page's policy can forbid everything else.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from mirror.report import STAGES
from mirror.status.health import AILING, FAILED, OK
from mirror.status.signs import Signs

#: What each state is called on the page.
SAYS = {OK: "All is well", AILING: "Shown, but look after it", FAILED: "Needs help"}

STYLE = """
:root { color-scheme: dark }
* { box-sizing: border-box; margin: 0 }
body { background: #0d0c0b; color: #cfc7ba; font: 15px/1.5 "Iowan Old Style", "Palatino Linotype",
  Palatino, Georgia, "Liberation Serif", serif; font-variant-numeric: tabular-nums }
main { max-width: 42rem; margin: 0 auto; padding: 2.6rem 1.4rem 4rem }
h1 { font-size: 2rem; line-height: 1.15; font-weight: 400; color: #efe7da }
h2 { font-size: .95rem; font-weight: 400; color: #a2764f; margin: 2.3rem 0 .5rem }
.state { margin: .5rem 0 1.6rem; font-size: 1.05rem }
.state::before { content: ""; display: inline-block; width: .6em; height: .6em;
  border-radius: 50%; margin-right: .6em; background: #7f9a6d }
.ailing::before { background: #c9973f }
.failed::before { background: #c0513c }
.failed, .ailing { color: #efe7da }
figure img { width: 100%; height: auto; display: block; background: #000; border-radius: 2px }
figcaption, .quiet { color: #8d8478; font-size: .85rem; margin-top: .45rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; font-weight: 400; padding: .2rem .8rem .2rem 0; vertical-align: top;
  border-bottom: 1px solid #211e1b; overflow-wrap: anywhere }
th { color: #8d8478; width: 13rem }
thead th { width: auto; font-size: .85rem }
td.number, th.number { text-align: right; padding-right: 0; width: 6.5rem }
svg { display: block; width: 100%; height: auto }
svg rect { fill: #6d5440 }
svg rect.today { fill: #a2764f }
svg text { fill: #8d8478; font-size: 10px; text-anchor: middle }
svg text.count { fill: #cfc7ba }
"""

#: Takes the page's newest state over, every two seconds; a picture that fails to come stays.
SCRIPT = """
"use strict";
async function renew() {
  try {
    const answer = await fetch("/", { cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-part]")) {
      const next = page.querySelector(`[data-part="${part.dataset.part}"]`);
      if (next) part.replaceWith(document.adoptNode(next));
    }
    const shown = document.querySelector("img");
    if (shown) {
      const next = new Image();
      next.onload = () => { shown.src = next.src };
      next.src = "/picture.jpg?" + Date.now();
    }
  } catch (error) {
    const state = document.querySelector(".state");
    state.className = "state failed";
    state.textContent = "No answer from the program";
  }
}
setInterval(renew, 2000);
"""


def page(signs: Signs, picture: bool) -> str:
    """The whole page. picture: whether it shows what is on the screen."""
    vitals = signs.vitals
    figure = (
        '<figure><img src="/picture.jpg" alt="what is on the screen now" width="640" height="360">'
        "<figcaption>What is on the screen. The camera’s picture is never shown.</figcaption>"
        "</figure>"
        if picture
        else ""
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mirror: {_safe(signs.health.state)}</title>
<link rel="stylesheet" href="/style.css">
<script src="/page.js" defer></script>
</head>
<body>
<main>
<div data-part="head"><h1>{_safe(vitals.piece.capitalize() or "Mirror")}</h1>
{_state(signs)}</div>
{figure}
<div data-part="body">
{_now(signs)}
{_visits(signs.visits)}
{_stages(signs)}
{_faults(signs)}
{_machine(signs)}
</div>
</main>
</body>
</html>
"""


def lasting(seconds: float) -> str:
    """A duration in the two units that matter: ``3 d 4 h``."""
    left = int(max(0.0, seconds))
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def _state(signs: Signs) -> str:
    health = signs.health
    reasons = f": {'; '.join(health.reasons)}" if health.reasons else ""
    return f'<p class="state {health.state}">{_safe(SAYS[health.state] + reasons)}</p>'


def _now(signs: Signs) -> str:
    vitals, standing = signs.vitals, signs.standing
    asked = [f"{name} on" for name in ("pause", "black", "freeze") if standing.get(name)]
    if standing.get("brightness", 1.0) != 1.0:
        asked.append(f"brightness {standing['brightness']:g}")
    if standing.get("opening", "hours") != "hours":
        asked.append(f"{standing['opening']}")
    return _table("Now", [
        ("visitors present", f"{vitals.sitters}"),
        ("camera", vitals.camera),
        ("pictures a second", f"{vitals.fps:.1f}"),
        ("newest picture", f"{signs.picture_age_s:.1f} s ago"),
        ("shown for", lasting(vitals.uptime_s)),
        ("restarts", f"{vitals.restarts}" + (", the river was taken up" if vitals.resumed else "")),
        ("opening", vitals.opening),
        ("seed", f"{standing.get('seed', '')}"),
        ("half of a visit fades in", f"{standing['half-life']:g} s" if standing else ""),
        ("asked for", ", ".join(asked)),
        ("load", f"taken down by {vitals.ladder}" if vitals.ladder else ""),
    ])  # fmt: skip


def _visits(visits: Mapping[str, int]) -> str:
    days = list(visits.items())[-14:]
    if not days:
        return '<h2>Visits a day</h2><p class="quiet">None yet.</p>'
    most = max(count for _, count in days)
    bars = []
    for n, (day, count) in enumerate(days):
        tall, x = max(1, round(64 * count / most)), 10 + 45 * n
        kind = ' class="today"' if n == len(days) - 1 else ""
        bars.append(
            f'<rect{kind} x="{x}" y="{84 - tall}" width="30" height="{tall}"/>'
            f'<text class="count" x="{x + 15}" y="{78 - tall}">{count}</text>'
            f'<text x="{x + 15}" y="98">{_safe(day[8:10].lstrip("0"))}.{_safe(day[5:7])}.</text>'
        )
    return (
        "<h2>Visits a day</h2>"
        f'<svg viewBox="0 0 650 104" role="img" aria-label="visits a day">{"".join(bars)}</svg>'
    )


def _stages(signs: Signs) -> str:
    rows = []
    for stage in (*STAGES, "picture"):
        told = signs.timings.get(stage, {})
        cells = (signs.vitals.stage_ms.get(stage), told.get("p50"), told.get("p95"))
        numbers = "".join(f'<td class="number">{_ms(cell)}</td>' for cell in cells)
        rows.append(f"<tr><th>{stage}</th>{numbers}</tr>")
    head = "".join(f'<th class="number">{name}</th>' for name in ("now", "median", "95 %"))
    return (
        f"<h2>Time of each stage, milliseconds</h2><table><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _faults(signs: Signs) -> str:
    vitals = signs.vitals
    rows = [
        ("camera", _counts(vitals.camera_faults)),
        ("models", _counts(vitals.painting_faults)),
        ("screen built again", f"{vitals.screen_faults or 'never'}"),
        ("log", _counts({k: n for k, n in signs.log.items() if k != "info"})),
        ("show control", _counts(signs.osc)),
        ("newest", vitals.last_error),
    ]
    return _table("Faults", rows)


def _machine(signs: Signs) -> str:
    vitals = signs.vitals
    gpu = f", GPU {vitals.gpu_mb:.0f} MB" if vitals.gpu_mb is not None else ""
    rows = [
        ("version", vitals.version),
        ("drawn by", vitals.renderer),
        ("memory", f"{vitals.rss_mb:.0f} MB{gpu}"),
        *((school, sha256[:16]) for school, sha256 in vitals.weights.items()),
    ]
    return _table("Program and models", rows)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><th>{_safe(name)}</th><td>{_safe(value)}</td></tr>" for name, value in rows if value
    )
    return f"<h2>{_safe(title)}</h2><table><tbody>{cells}</tbody></table>"


def _counts(counts: Mapping[str, int]) -> str:
    told = [f"{kind.replace('_', ' ')} {count}" for kind, count in counts.items() if count]
    return ", ".join(told) or "none"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _safe(text: str) -> str:
    return html.escape(str(text))
