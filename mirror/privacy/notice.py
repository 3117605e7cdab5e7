"""The notice for the wall: facts come in, sentences or a printable page go out.

The page is one HTML file without anything from elsewhere, for A4, or for A3 from four languages
on: the first language large, the others below it; the points of a face as the program sees one; a
QR code where the site names a page.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from mirror import MARKERS
from mirror.canonical import load_frame
from mirror.errors import SettingsError
from mirror.privacy.facts import Facts
from mirror.privacy.words import LANGUAGES, WORDS

#: How the page looks, on paper and on a screen.
STYLE = """
@page { margin: 0 }
* { box-sizing: border-box; margin: 0 }
body { font: 10.4pt/1.42 "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua",
  "Gentium Book Basic", Georgia, "Liberation Serif", serif; color: #1c1a17; background: #fff }
main { width: 210mm; min-height: 297mm; margin: 0 auto; padding: 17mm 18mm 13mm; display: flex;
  flex-direction: column; gap: 7mm }
h1 { font-size: 27pt; line-height: 1.08; font-weight: 400; letter-spacing: -.01em;
  margin-bottom: 5mm }
h2 { font-size: 12.5pt; font-weight: 400; margin-bottom: 1.4mm; color: #7d3b22 }
p + p { margin-top: .55em }
.first { display: grid; grid-template-columns: 1fr 46mm; gap: 9mm 11mm; font-size: 12.2pt }
.first h1 { grid-column: 1 / -1; margin: 0 }
aside { font-size: 8.6pt; line-height: 1.4; color: #6a635b; overflow-wrap: anywhere }
aside svg { width: 100%; height: auto; display: block; margin-bottom: 2.5mm }
figure { margin-bottom: 6mm }
figure svg { padding-right: 5mm }
aside svg.code { width: 22mm; margin: 3mm 0 0 }
.others { columns: 2; column-gap: 10mm; font-size: 9.2pt; line-height: 1.36;
  border-top: .3mm solid #cfc8bf; padding-top: 5.5mm }
.others section { break-inside: avoid; margin-bottom: 5mm }
.others.alone { columns: 1; font-size: 10.4pt; line-height: 1.4; padding-right: 57mm }
.crowded { width: 297mm; min-height: 420mm; padding: 18mm 25mm 10mm; gap: 7mm }
.crowded .first { font-size: 14.4pt; grid-template-columns: 1fr 54mm; gap: 8mm 18mm }
.crowded h1 { font-size: 36pt }
.crowded aside { font-size: 10pt }
.crowded aside svg.code { width: 27mm }
.crowded .others { display: grid; grid-template-columns: repeat(3, 1fr); gap: 3mm 9mm;
  font-size: 8.5pt; line-height: 1.33; padding-top: 6mm }
.crowded h2 { font-size: 13pt }
@media screen { body { background: #ece8e2 } main { background: #fff; margin: 8mm auto;
  box-shadow: 0 1px 14px #0002 } }
"""


def sentences(found: Facts, language: str) -> list[str]:
    """What the notice says in a language, one paragraph each, without title and address."""
    if not found.looks:
        return [_said(found, language, key) for key in ("without", "made")]
    what = _said(found, language, "camera" if found.faces > 1 else "camera_one")
    pictures = ["pictures", "network"] if found.over_network else ["pictures"]
    fades = ["fades", "saves"] if found.saves else ["fades"]
    kept = []
    if found.recordings:
        kept.append("records" if found.keep_days else "records_longer")
    elif not found.saves:
        kept.append("nothing")
    if found.counts:
        kept.append("counts")
    if found.watched == "elsewhere":
        kept.append("watched")
    paragraphs = [pictures + ["nobody"], fades + kept, ["made"], ["aside"]]
    return [what, *(" ".join(_said(found, language, key) for key in keys) for keys in paragraphs)]


def address(found: Facts, language: str) -> list[str]:
    """Who is responsible, and where to ask, as far as the site says."""
    lines = [("operator", found.operator), ("contact", found.contact)]
    return [_said(found, language, key) for key, value in lines if value]


def title(found: Facts, language: str) -> str:
    """The notice's title in a language."""
    return WORDS[language]["title" if found.looks else "title_without"]


def notice(found: Facts, language: str) -> str:
    """The notice as plain text. Raises SettingsError for a language that it does not speak."""
    check_languages([language])
    paragraphs = [title(found, language), *sentences(found, language), *address(found, language)]
    more = [f"{WORDS[language]['more']}: {found.more_url}"] if found.more_url else []
    return "\n\n".join(paragraphs + more)


def page(found: Facts, languages: Sequence[str]) -> str:
    """The printable page. Raises SettingsError for a language that it does not speak."""
    check_languages(languages)
    first, others = languages[0], languages[1:]
    blocks = "".join(
        f'<section lang="{each}"><h2>{_safe(title(found, each))}</h2>'
        f"{_paragraphs(found, each)}</section>\n"
        for each in others
    )
    crowd = "" if len(others) < 3 else ' class="crowded"'
    size = "A4" if len(others) < 3 else "A3"
    how = "others alone" if len(others) == 1 else "others"
    return f"""<!DOCTYPE html>
<html lang="{first}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{_safe(title(found, first))}</title>
<style>@page {{ size: {size} }}{STYLE}</style>
</head>
<body>
<main{crowd}>
<section class="first"><h1>{_safe(title(found, first))}</h1>
<div>{_paragraphs(found, first)}</div>{_aside(found, first)}</section>
{f'<div class="{how}">{blocks}</div>' if blocks else ""}
</main>
</body>
</html>
"""


def check_languages(languages: Sequence[str]) -> None:
    """Hold the names of languages to those that there are; raises SettingsError."""
    for each in languages or [""]:
        if each not in LANGUAGES:
            raise SettingsError(
                "--languages", repr(each), ", ".join(LANGUAGES), "--languages en,de"
            )


def dots() -> str:
    """The points of the mean face, as an SVG picture."""
    face = load_frame().mean[:, :2]
    low, high = face.min(axis=0), face.max(axis=0)
    scale = 100 / float((high - low)[0])
    marks = "".join(
        f'<circle cx="{(x - low[0]) * scale + 2:.1f}" cy="{(y - low[1]) * scale + 2:.1f}" r=".62"/>'
        for x, y in face
    )
    height = math.ceil(float((high - low)[1]) * scale) + 4
    return f'<svg viewBox="0 0 104 {height}" fill="#1c1a17" aria-hidden="true">{marks}</svg>'


def _aside(found: Facts, language: str) -> str:
    """Beside the text: a face as it is kept, who is responsible, where there is more."""
    parts = []
    if found.looks:
        parts.append(f"<figure>{dots()}{_safe(WORDS[language]['dots'])}</figure>")
    parts += [f"<p>{_safe(each)}</p>" for each in address(found, language)]
    if found.more_url:
        import segno  # noqa: PLC0415 - only a page with a code needs it

        code = segno.make(found.more_url, error="m")
        parts.append(f"<p>{_safe(WORDS[language]['more'])}: {_safe(found.more_url)}</p>")
        parts.append(code.svg_inline(border=0, dark="#1c1a17", omitsize=True, svgclass="code"))
    return f"<aside>{''.join(parts)}</aside>" if parts else ""


def _paragraphs(found: Facts, language: str) -> str:
    return "".join(f"<p>{_safe(each)}</p>" for each in sentences(found, language))


def _said(found: Facts, language: str, key: str) -> str:
    minutes = max(1, round(found.faded_s / 60))
    return WORDS[language][key].format(
        faces=found.faces, points=MARKERS, minutes=minutes, days=f"{found.keep_days:g}",
        operator=found.operator, contact=found.contact,
    )  # fmt: skip


def _safe(text: str) -> str:
    return html.escape(text)
