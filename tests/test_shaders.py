from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror.errors import ScreenError
from mirror.places import shaders_folder
from mirror.screen.contexts import Offscreen, hold
from mirror.screen.shaders import Source, compile_program, load

HEADER = "// {name}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "whole.vert").write_text(
        "#version 330 core\nvoid main() { gl_Position = vec4(0.0); }\n"
    )
    return tmp_path


@pytest.fixture(scope="module")
def surface() -> Iterator[Offscreen]:
    opened = Offscreen((16, 16))
    yield opened
    opened.close()


def test_includes_are_put_in_their_places_however_deep(folder: Path) -> None:
    (folder / "a.frag").write_text('#version 330 core\n#include "lib/b.glsl"\nend\n')
    (folder / "lib" / "b.glsl").write_text('before\n  #  include   "lib/c.glsl"\nafter\n')
    (folder / "lib" / "c.glsl").write_text("inmost\n")
    source = load("a.frag", folder)
    words = [line for line in source.text.splitlines() if not line.startswith("#")]
    assert words == ["before", "inmost", "after", "end"]
    assert source.text.startswith("#version 330 core\n")
    assert [path.name for path in source.files] == ["a.frag", "b.glsl", "c.glsl"]


def test_a_file_named_twice_is_included_once(folder: Path) -> None:
    (folder / "a.frag").write_text('#include "lib/b.glsl"\n#include "lib/c.glsl"\n')
    (folder / "lib" / "b.glsl").write_text('#include "lib/c.glsl"\n')
    (folder / "lib" / "c.glsl").write_text("once\n")
    assert load("a.frag", folder).text.count("once") == 1


def test_a_circle_of_includes_is_refused_and_named(folder: Path) -> None:
    (folder / "a.frag").write_text('\n#include "lib/b.glsl"\n')
    (folder / "lib" / "b.glsl").write_text('#include "lib/c.glsl"\n')
    (folder / "lib" / "c.glsl").write_text('// c\n#include "lib/b.glsl"\n')
    circle = r"c\.glsl:2: circular include b\.glsl -> c\.glsl -> b\.glsl"
    with pytest.raises(ScreenError, match=circle):
        load("a.frag", folder)


def test_a_missing_file_is_named_with_the_line_that_asks_for_it(folder: Path) -> None:
    (folder / "a.frag").write_text('one\n\n#include "lib/gone.glsl"\n')
    with pytest.raises(ScreenError, match=r"a\.frag:3: shader gone\.glsl cannot be read"):
        load("a.frag", folder)
    with pytest.raises(ScreenError, match=r"nothing\.frag cannot be read"):
        load("nothing.frag", folder)


def test_an_include_without_a_name_in_quotes_is_refused(folder: Path) -> None:
    (folder / "a.frag").write_text("#include <lib/b.glsl>\n")
    with pytest.raises(ScreenError, match=r"a\.frag:1: include of .* allowed: #include"):
        load("a.frag", folder)


@pytest.mark.parametrize(("name", "line"), [("b.glsl", 3), ("a.frag", 5)])
def test_an_error_is_told_at_its_original_file_and_line(
    folder: Path, surface: Offscreen, name: str, line: int
) -> None:
    faulty = {"b.glsl": "", "a.frag": "", name: "float x = nonsense;"}
    (folder / "lib" / "b.glsl").write_text(
        f'#include "lib/c.glsl"\nfloat two() {{ return 2.0; }}\n{faulty["b.glsl"]}\n'
    )
    (folder / "lib" / "c.glsl").write_text("\n\n\n\n\nfloat three() { return 3.0; }\n\n")
    (folder / "a.frag").write_text(
        f'#version 330 core\n\n#include "lib/b.glsl"\nout vec4 c;\n{faulty["a.frag"]}\n'
        "void main() { c = vec4(two() + three()); }\n"
    )
    with hold(surface), pytest.raises(ScreenError, match=rf"{name}:{line}\b.*nonsense"):
        compile_program(surface.context, "whole.vert", "a.frag", folder)


def test_an_error_of_the_vertex_shader_names_the_vertex_shader(
    folder: Path, surface: Offscreen
) -> None:
    (folder / "bad.vert").write_text("#version 330 core\n\nvoid main() { wrong = 1; }\n")
    (folder / "a.frag").write_text("#version 330 core\nout vec4 c;\nvoid main() { c = vec4(1); }\n")
    with hold(surface), pytest.raises(ScreenError, match=r"bad\.vert:3"):
        compile_program(surface.context, "bad.vert", "a.frag", folder)


@pytest.mark.parametrize(
    "log",
    ["0:2(5): error: x", "0(2) : error C0000: x", "ERROR: 0:2: 'x' : wrong"],
    ids=["Mesa", "NVIDIA", "others"],
)
def test_the_words_of_every_driver_are_understood(log: str) -> None:
    source = Source("one\ntwo\n", ((Path("a.frag"), 1), (Path("lib/b.glsl"), 12)))
    assert "b.glsl:12" in source.explain(log)
    assert "error" in source.explain(log).lower()


def test_a_line_that_is_not_there_is_left_alone() -> None:
    assert Source("", ()).explain("0:7(1): error: x") == "0:7(1): error: x"


PASSES = sorted(path.name for path in shaders_folder().glob("*.frag"))


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_compiles(surface: Offscreen, name: str) -> None:
    vertex = name.split("_", maxsplit=1)[0].replace(".frag", "") + ".vert"
    if not (shaders_folder() / vertex).exists():
        vertex = "whole.vert"
    with hold(surface):
        compile_program(surface.context, vertex, name).release()
        assert surface.context.error == "GL_NO_ERROR"


LIBRARY = sorted(shaders_folder().glob("lib/*.glsl"))


@pytest.mark.parametrize("path", LIBRARY, ids=[path.name for path in LIBRARY])
def test_a_library_file_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(HEADER.format(name=path.name))
    for word in ("purpose:", "use:", "ranges:", "source:", "licence:"):
        assert f"// {word}" in text, word


def test_the_readme_names_every_shader() -> None:
    text = (shaders_folder() / "README.md").read_text(encoding="utf-8")
    names = [path.name for path in shaders_folder().rglob("*.*") if path.suffix != ".md"]
    assert [name for name in names if f"`{name}`" not in text] == []
