"""The shader loader: GLSL files that include one another, and errors at the line you wrote.

In: a file of ``shaders/``. Out: one text that the driver compiles, and a program. A file is
included once, where it is first named, so that two functions may build on a third. What the
driver complains about is told with the original file and line, whichever vendor words it.

Called by the thread that owns the OpenGL context.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import moderngl

from mirror.errors import ScreenError
from mirror.places import shaders_folder

INCLUDE = re.compile(r'^\s*#\s*include\b\s*(?:"([^"]*)"|(.*))')

#: How drivers name line 12: Mesa ``0:12(5)``, NVIDIA ``0(12)``, others ``ERROR: 0:12``.
PLACE = re.compile(r"^(?P<before>\s*(?:ERROR:\s*|WARNING:\s*)?)0[:(](?P<line>\d+)\)?")


@dataclass(frozen=True)
class Source:
    """A shader with its includes put in.

    text: what the driver gets. places: for each of its lines the file and the line it came from.
    (``#line`` would be the language's own way, but Mesa forgets the file in most of its errors.)
    """

    text: str
    places: tuple[tuple[Path, int], ...]

    @property
    def files(self) -> list[Path]:
        """The shader and all that it includes."""
        return list(dict.fromkeys(path for path, _ in self.places))

    def explain(self, log: str) -> str:
        """A driver's log with lines of the text replaced by files and their lines."""
        return "\n".join(PLACE.sub(self._place, line) for line in log.splitlines())

    def _place(self, found: re.Match[str]) -> str:
        number = int(found["line"])
        if not 1 <= number <= len(self.places):
            return found[0]
        path, line = self.places[number - 1]
        return f"{found['before']}{path.name}:{line}"


def load(name: str, folder: Path | None = None) -> Source:
    """Read a shader and all that it includes.

    name: relative to folder, which is ``shaders/`` when left out. Raises ScreenError for a file
    that is missing, an include that names none, and files that include one another in a circle.
    """
    found = list(_expand(folder or shaders_folder(), name, "the program", set(), ()))
    text = "".join(f"{line}\n" for line, _, _ in found)
    return Source(text, tuple((path, number) for _, path, number in found))


def _expand(
    root: Path, name: str, asked_by: str, known: set[Path], above: tuple[Path, ...]
) -> Iterator[tuple[str, Path, int]]:
    """The lines of one file with its includes put in their places: line, file, number."""
    path = (root / name).resolve()
    if path in above:
        chain = " -> ".join(p.name for p in (*above[above.index(path) :], path))
        raise ScreenError(asked_by, f"circular include {chain}", "files that end somewhere")
    if path in known:
        return
    known.add(path)
    for number, line in enumerate(_read(path, asked_by), start=1):
        found = INCLUDE.match(line)
        if found is None:
            yield line, path, number
            continue
        place = f"{path.name}:{number}"
        if not found[1]:
            raise ScreenError(place, f"include of {line.strip()!r}", '#include "lib/name.glsl"')
        yield from _expand(root, found[1], place, known, (*above, path))


def _read(path: Path, asked_by: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScreenError(
            asked_by, f"shader {path.name} cannot be read ({error})", "a file in shaders/"
        ) from error


def compile_program(
    context: moderngl.Context, vertex: str, fragment: str, folder: Path | None = None
) -> moderngl.Program:
    """Load, compile and link two shaders; raises ScreenError with the driver's words, placed."""
    sources = load(vertex, folder), load(fragment, folder)
    try:
        return context.program(vertex_shader=sources[0].text, fragment_shader=sources[1].text)
    except moderngl.Error as error:
        log = str(error)
        faulty = sources[0] if "vertex_shader" in log else sources[1]
        lines = [line for line in faulty.explain(log).splitlines() if line.strip(" =")]
        raise ScreenError(
            f"{vertex}, {fragment}", "; ".join(lines), "OpenGL 3.3 core (GLSL 330)"
        ) from error
