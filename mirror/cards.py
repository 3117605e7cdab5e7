"""The weights on disk: a model's bytes, and the JSON card that vouches for them.

safetensors loads a flipped bit without a word, so every file is held to the sha256 on its card
before it is used. No torch here: what is missing or damaged is known before anything heavy loads.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from mirror import SCHOOLS
from mirror.errors import WeightsError
from mirror.places import weights_folder

#: The kind of weights that this program reads and writes.
FORMAT = "mirror-face-1"

#: Files that all six models share: the canonical frame, and the finisher where there is one.
FRAME, FINISH = "frame", "finish"

#: Ends the name of the file of what a school's portraits wear.
WARDROBE = "-wardrobe"

RESTORE = "git checkout weights, or mirror train all"


def read_card(folder: Path, name: str) -> dict[str, Any]:
    """The JSON card of a school, or of what all schools share; raises WeightsError."""
    path = folder / f"{name}.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        known = card["format"] == FORMAT and isinstance(card["sha256"], str)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            str(path), f"no card of a face model ({error})", f"format {FORMAT}", RESTORE
        ) from error
    if not known:
        raise WeightsError(str(path), f"format {card['format']}", FORMAT, RESTORE)
    return dict(card)


def read_weights(folder: Path, name: str) -> tuple[dict[str, Any], bytes]:
    """Card and bytes of one file, held to its checksum; raises WeightsError.

    name: a school, or one of the files that all schools share.
    """
    card, path = read_card(folder, name), folder / f"{name}.safetensors"
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            str(path), f"cannot be read ({error.strerror})", "a face model", RESTORE
        ) from error
    found = hashlib.sha256(stored).hexdigest()
    if found != card["sha256"]:
        raise WeightsError(
            str(path), f"sha256 {found[:12]}… is not its card's", f"{card['sha256'][:12]}…", RESTORE
        )
    return card, stored


def verify(folder: Path | None = None, strict: bool = True) -> dict[str, str]:
    """School -> sha256 of all six models; raises WeightsError for the first file that is damaged,
    of the models or of what they share. strict: False leaves damaged schools out, as long as there
    is one that is not."""
    folder = folder or weights_folder()
    for shared in (FRAME, FINISH):
        if shared == FRAME or (folder / f"{shared}.json").is_file():
            read_weights(folder, shared)
    found: dict[str, str] = {}
    for school in SCHOOLS:
        try:
            found[school] = str(read_weights(folder, school)[0]["sha256"])
            if (folder / f"{school}{WARDROBE}.json").is_file():
                read_weights(folder, school + WARDROBE)
        except WeightsError:
            if strict or (school == SCHOOLS[-1] and not found):
                raise
    return found


def write_weights(folder: Path, name: str, stored: bytes, told: dict[str, Any]) -> dict[str, Any]:
    """Write weights and then their card, each in one step; returns the card.

    told: what the card says besides format, sha256 and bytes.
    """
    sealed = {"sha256": hashlib.sha256(stored).hexdigest(), "bytes": len(stored)}
    card = {"format": FORMAT, **told, **sealed}
    write_whole(folder / f"{name}.safetensors", stored)
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    write_whole(folder / f"{name}.json", text.encode())
    return card


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step: the old one or the new one, never half of one."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
