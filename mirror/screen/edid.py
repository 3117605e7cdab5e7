"""What monitors say of themselves (EDID): maker, model and serial number, read from the system.

A socket's name may change with a driver or a plug; these do not. In: Linux's list of connectors
and what the window system tells of monitors. Out: an identity for each that can be told for sure.
Pure but for the reading; any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HEADER = bytes((0, 255, 255, 255, 255, 255, 255, 0))
#: Kinds of descriptors: serial number and name, as text.
SERIAL, NAME = 0xFF, 0xFC
#: The window system rounds sizes to centimetres at worst.
NEAR_MM = 10


@dataclass(frozen=True)
class Edid:
    """identity: for example 'DEL U2415 7MT0183'. sizes_mm: what it says of its size, once or
    twice; a projector says nothing."""

    identity: str
    sizes_mm: tuple[tuple[int, int], ...]


def read_edid(data: bytes) -> Edid | None:
    """One monitor's own words (VESA E-EDID 1.3 and 1.4); None for bytes that are none."""
    if len(data) < 128 or data[:8] != HEADER or sum(data[:128]) % 256:
        return None
    letters = int.from_bytes(data[8:10], "big")
    maker = "".join(chr(64 + (letters >> shift & 31)) for shift in (10, 5, 0))
    parts = [data[start : start + 18] for start in (54, 72, 90, 108)]
    texts = {part[3]: _text(part[5:]) for part in parts if part[:3] == b"\0\0\0"}
    number = int.from_bytes(data[12:16], "little")
    model = texts.get(NAME) or f"{int.from_bytes(data[10:12], 'little'):04X}"
    serial = texts.get(SERIAL) or (str(number) if number else "")
    sizes = [(10 * data[21], 10 * data[22])]
    if parts[0][:2] != b"\0\0":  # a timing, with a finer size
        high = parts[0][14]
        sizes.append((parts[0][12] + (high >> 4 << 8), parts[0][13] + ((high & 15) << 8)))
    known = tuple(size for size in sizes if min(size) > 0)
    return Edid(" ".join(word for word in (maker, model, serial) if word), known)


def list_edids(root: str = "/") -> list[Edid]:
    """Of all monitors that are plugged in; empty where Linux tells none. root: where sys/ is."""
    found = []
    for connector in sorted((Path(root) / "sys/class/drm").glob("card*-*")):
        try:
            if (connector / "status").read_text().strip() == "connected":
                found.append(read_edid((connector / "edid").read_bytes()))
        except OSError:  # unplugged between the listing and the reading
            continue
    return [edid for edid in found if edid is not None]


def identities(monitors: Mapping[str, tuple[int, int]], edids: Sequence[Edid]) -> dict[str, str]:
    """Which monitor is which: the window system's name -> identity, where that is sure.

    monitors: their sizes in millimetres. A size that fits one alone on both sides tells; so does
    being the last one left. Two that are alike to the serial number keep the names of their plugs.
    """
    told: dict[str, str] = {}
    for name, size in monitors.items():
        alike = [edid for edid in edids if _fits(size, edid)]
        rivals = [other for other in monitors.values() if alike and _fits(other, alike[0])]
        if len(alike) == 1 and len(rivals) == 1:
            told[name] = alike[0].identity
    names = [name for name in monitors if name not in told]
    left = [edid for edid in edids if edid.identity not in told.values()]
    if len(names) == 1 and len(left) == 1:
        told[names[0]] = left[0].identity
    all_known = [edid.identity for edid in edids]
    return {name: each for name, each in told.items() if all_known.count(each) == 1}


def _fits(size: tuple[int, int], edid: Edid) -> bool:
    return any(
        abs(size[0] - known[0]) <= NEAR_MM and abs(size[1] - known[1]) <= NEAR_MM
        for known in edid.sizes_mm
    )


def _text(data: bytes) -> str:
    return data.split(b"\n")[0].decode("ascii", "replace").strip()
