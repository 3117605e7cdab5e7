"""Who may import what, and who may open a device: read from the sources themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Package -> the rooms that may import it.
ROOMS = {
    "mediapipe": ("markers",),
    "torch": ("faces", "atelier"),
    "moderngl": ("screen",),
    "glcontext": ("screen",),
    "glfw": ("screen",),
    "pythonosc": ("control/osc",),
    "starlette": ("status",),
    "uvicorn": ("status",),
    "prometheus_client": ("status",),
    "segno": ("privacy",),
}
#: Never imported by anybody: they run what they read.
FORBIDDEN = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve")
SOURCES = sorted(
    path
    for package in ("mirror", "calibration")
    for path in (Path(__file__).resolve().parent.parent / package).rglob("*.py")
)


def imported(source: str) -> Iterator[str]:
    """The packages that a source imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def opened(source: str) -> Iterator[str]:
    """What opens a device or a film for reading: ``VideoCapture`` and ``av.open`` not to write."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Attribute, ast.Name)):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name == "VideoCapture":
                yield name
        elif isinstance(node, ast.ImportFrom) and node.module == "av":
            yield from (f"from av import {a.name}" for a in node.names if a.name == "open")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "av.open":
            modes = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
            if not any(isinstance(mode, ast.Constant) and mode.value == "w" for mode in modes):
                yield "av.open"


def room_of(path: Path) -> str:
    """The module's place in its package: ``mirror/screen/film.py`` is ``screen/film``."""
    root = Path(__file__).resolve().parent.parent
    return "/".join(path.relative_to(root).with_suffix("").parts[1:])


def lives_in(path: Path, rooms: tuple[str, ...]) -> bool:
    """Whether a module is one of these rooms, or in one."""
    return f"{room_of(path)}/".startswith(tuple(f"{room}/" for room in rooms))


@pytest.mark.parametrize("package", ROOMS)
def test_a_package_is_imported_only_in_its_rooms(package: str) -> None:
    elsewhere = [
        str(path)
        for path in SOURCES
        if package in imported(path.read_text(encoding="utf-8"))
        and not lives_in(path, ROOMS[package])
    ]
    assert elsewhere == []


def test_only_the_camera_opens_devices_and_films() -> None:
    elsewhere = [
        str(path)
        for path in SOURCES
        if list(opened(path.read_text(encoding="utf-8"))) and not lives_in(path, ("camera",))
    ]
    assert elsewhere == []


def test_nobody_imports_what_runs_what_it_reads() -> None:
    guilty = [
        str(path)
        for path in SOURCES
        if set(FORBIDDEN) & set(imported(path.read_text(encoding="utf-8")))
    ]
    assert guilty == []


def test_only_the_clock_asks_what_time_it_is() -> None:
    guilty = [
        str(path)
        for path in SOURCES
        if path.name != "clock.py" and "time" in imported(path.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_what_typer_reads_can_be_read_on_python_3_9() -> None:
    """There typer cannot look behind annotations that ``__future__`` made into text."""
    guilty = [
        str(path)
        for path in SOURCES
        if "typer" in imported(path.read_text(encoding="utf-8"))
        and "__future__" in imported(path.read_text(encoding="utf-8"))
        and ".command(" in path.read_text(encoding="utf-8")
    ]
    assert guilty == []


def test_what_typer_reads_says_optional_and_not_or_none() -> None:
    """Python 3.9 would try to compute ``X | None`` when it reads the definition."""
    guilty = []
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        for node in () if "__future__" in imported(source) else ast.walk(ast.parse(source)):
            notes = [getattr(node, name, None) for name in ("annotation", "returns")]
            either = [each for note in notes if note is not None for each in ast.walk(note)]
            if any(isinstance(each, ast.BitOr) for each in either):
                guilty.append(f"{path}:{node.lineno}")
    assert guilty == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import cv2\ncv2.VideoCapture(0)", ["VideoCapture"]),
        ("from cv2 import VideoCapture as See\nsee = VideoCapture", ["VideoCapture"]),
        ("import av\nav.open('a.mp4')", ["av.open"]),
        ("import av\nav.open('a.mp4', mode='r')", ["av.open"]),
        ("import av\nav.open('a.mp4', 'w')", []),
        ("import av\nav.open('a.mp4', mode='w')", []),
        ("from av import open", ["from av import open"]),
    ],
)
def test_an_opened_device_is_seen(source: str, found: list[str]) -> None:
    assert list(opened(source)) == found


def test_a_hidden_import_is_seen() -> None:
    source = "def paint():\n    import torch.nn as nn\n    from mediapipe.python import x\n"
    assert list(imported(source)) == ["torch", "mediapipe"]


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("mirror.river.river", ("torch", "mediapipe", "cv2", "moderngl", "glfw", "av")),
        ("mirror.latents.visitors", ("torch", "mediapipe", "cv2", "moderngl", "glfw", "av")),
        ("mirror.cli", ("torch", "mediapipe", "cv2", "moderngl", "glfw", "av", "scipy")),
        ("mirror.faces", ("mediapipe", "moderngl", "glfw")),
        ("mirror.show.show", ("pythonosc", "starlette", "uvicorn", "prometheus_client", "segno")),
        ("mirror.watch.watch", ("torch", "mediapipe", "cv2", "moderngl", "glfw", "av", "scipy")),
        ("calibration.__main__", ("torch", "mediapipe", "cv2", "moderngl", "glfw")),
    ],
)
def test_importing_a_module_drags_in_nothing_of_the_other_stages(
    module: str, absent: tuple[str, ...]
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules, sep='\\n')"],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert sorted(set(absent) & set(ran.stdout.split())) == []
