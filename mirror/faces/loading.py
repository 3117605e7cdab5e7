"""The six face models, from the weights folder.

One damaged model never stops the other five: ``load_faces(strict=False)`` leaves it out and says so
in the log. Its stream goes to the next school in ``painting.loading``, which a show loads by.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from mirror.canonical import Mesh, load_mesh
from mirror.cards import FINISH, FORMAT, RESTORE, WARDROBE, read_weights
from mirror.errors import SettingsError, WeightsError
from mirror.faces.finisher import Finisher
from mirror.faces.model import STANDARD, FaceModel
from mirror.faces.wardrobe import Rack
from mirror.latents.stored import each_school, not_a_model
from mirror.places import weights_folder


def choose_device(wanted: str = "auto") -> str:
    """The device that torch paints on: 'auto' takes a GPU where there is one.

    Raises SettingsError for a GPU that is not there.
    """
    there = torch.cuda.is_available()
    if wanted == "auto":
        return "cuda" if there else "cpu"
    if wanted.startswith("cuda") and not there:
        raise SettingsError("[faces] device", wanted, "cpu, or auto", 'device = "auto"')
    return wanted


def paint_on_one_core() -> None:
    """Leave the other cores to whoever draws and reads markers.

    torch's threads wait for one another by spinning: beside a busy renderer a texture of 2 ms took
    a hundred times as long.
    """
    torch.set_num_threads(1)


def load_face(
    school: str,
    folder: Path,
    mesh: Mesh,
    device: str,
    accent: float,
    finisher: Finisher | None = None,
    emphasis: float = STANDARD.emphasis,
) -> FaceModel:
    """One model, its checksum verified; raises WeightsError when it is missing or damaged."""
    card, stored = read_weights(folder, school)
    rack = load_rack(folder, school, card)
    try:
        return FaceModel(
            school, card, load_tensors(stored), mesh, device, accent, finisher, emphasis, rack
        )
    except (KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise not_a_model(folder, school, error) from error


def load_rack(folder: Path, school: str, model: dict[str, Any]) -> Rack | None:
    """What a school's portraits wear, see ``Wardrobe``; None where the folder has nothing. Raises
    WeightsError if it is damaged, or of another model than the one with this card."""
    name = school + WARDROBE
    if not (folder / f"{name}.json").is_file():
        return None
    card, stored = read_weights(folder, name)
    if card.get("model") != model["sha256"]:
        raise WeightsError(
            str(folder / f"{name}.json"), f"belongs to model {str(card.get('model'))[:12]}…",
            f"model {model['sha256'][:12]}…, or no such file", RESTORE,
        )  # fmt: skip
    try:
        tensors = load_tensors(stored)
        pictures = np.split(tensors["pictures"].numpy(), tensors["ends"].numpy()[:-1])
        return Rack(pictures, tensors["hair"].numpy())
    except (KeyError, ValueError, SafetensorError) as error:
        raise WeightsError(
            str(folder / f"{name}.safetensors"), f"not a wardrobe ({error})", FORMAT, RESTORE
        ) from error


def load_finisher(folder: Path, name: str, device: str) -> Finisher | None:
    """A finishing network, where the folder has one; raises WeightsError if it is damaged."""
    if not (folder / f"{name}.json").is_file():
        return None
    _, stored = read_weights(folder, name)
    finisher = Finisher()
    try:
        finisher.take(load_tensors(stored))
    except (KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise WeightsError(
            str(folder / f"{name}.safetensors"), f"not a finisher ({error})", FORMAT, RESTORE
        ) from error
    return finisher.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]


def load_faces(
    folder: Path | None = None,
    device: str = "auto",
    accent: float = STANDARD.accent,
    strict: bool = True,
    emphasis: float = STANDARD.emphasis,
) -> dict[str, FaceModel]:
    """The six models, in the order of ``SCHOOLS``.

    accent, emphasis: see ``FaceSettings``. strict: raise WeightsError for the first model that is
    missing or damaged; otherwise log it and go on with the others, as long as there is one.
    """
    folder = folder or weights_folder()
    mesh, device = load_mesh(folder), choose_device(device)
    shared = load_finisher(folder, FINISH, device)

    def load_one(school: str) -> FaceModel:
        finisher = load_finisher(folder, f"{school}-{FINISH}", device) or shared
        return load_face(school, folder, mesh, device, accent, finisher, emphasis)

    return each_school(load_one, folder, strict)
