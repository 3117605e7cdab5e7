"""Which camera is meant: a flag's text or a person's choice comes in, a stable source goes out.

Never another camera than the one that was named: a name that two cameras share is refused with
both their paths, and a number is written down as the stable path that it leads to now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mirror.camera import DeviceFacts, Source, device_at, parse_source
from mirror.errors import SettingsError, SourceError


@dataclass(frozen=True)
class Choice:
    """A camera to choose. source: for the site file. name: what it is called. note: what sets it
    apart from the others."""

    source: str
    name: str
    note: str


def choices(devices: Sequence[DeviceFacts], known: str = "") -> list[Choice]:
    """The cameras that can be chosen: those of this computer, and the site's own if it is none of
    them."""
    found = [Choice(each.stable, each.name, _note(each)) for each in devices if each.node == 0]
    if known and not any(known == each.source for each in found):
        found.append(Choice(known, "the site's own", "from the site file"))
    return found


def chosen(text: str, devices: Sequence[DeviceFacts]) -> str:
    """The stable source that a text names: a number, a path, a camera's name, an address, a film.

    Raises SourceError for a camera that is not there, and SettingsError for a name that two have.
    """
    named = [each for each in devices if each.node == 0 and each.name.lower() == text.lower()]
    if len(named) == 1:
        return named[0].stable
    if named:
        paths = ", ".join(each.stable for each in named)
        raise SettingsError(
            "--source", f"{len(named)} cameras are called {named[0].name!r}", paths,
            f"--source {named[0].stable}",
        )  # fmt: skip
    if pathed := [each for each in devices if text in (each.path, each.by_id, each.by_path)]:
        return pathed[0].stable
    source = parse_source(text)
    if source.kind != "device":
        return str(Path(text).resolve()) if source.kind == "file" else str(source.address)
    device = device_at(source, devices)
    if device is None:
        raise _nobody(source, devices)
    return device.stable


def table_of(found: Sequence[Choice]) -> Table:
    """The cameras, numbered from 1."""
    table = Table(box=None, pad_edge=False)
    for name in ("", "camera", "source", ""):
        table.add_column(name, overflow="fold")
    for number, each in enumerate(found, 1):
        table.add_row(str(number), each.name, each.source, each.note)
    return table


def show_cameras(console: Console, devices: Sequence[DeviceFacts], known: str = "") -> None:
    """Print the cameras, or that there are none."""
    found = choices(devices, known)
    if found:
        console.print(table_of(found))
    else:
        console.print(
            "No camera is plugged into this computer. A network camera is named by its address: "
            "calibrate camera --source http://...",
            soft_wrap=True,
        )


def _note(device: DeviceFacts) -> str:
    socket = Path(device.by_path).name or device.path
    if device.twin:
        return f"another has the same name and no serial number: known by its socket, {socket}"
    return f"now {device.path}, in {socket}"


def _nobody(source: Source, devices: Sequence[DeviceFacts]) -> SourceError:
    there = ", ".join(each.stable for each in devices if each.node == 0) or "none"
    return SourceError(
        str(source), "no such camera", f"those that are there: {there}",
        "plug it in, or --source http://... for a network camera",
    )  # fmt: skip
