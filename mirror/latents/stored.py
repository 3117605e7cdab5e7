"""What a school's file holds of its geometry, read without torch.

In: a folder of weights. Out: ``SchoolGeometry``, and the codes that the school was learnt from. For
whoever reads markers and paints nothing, and for the face models, which hold the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays

from mirror import SCHOOLS
from mirror.canonical import Frame
from mirror.cards import FORMAT, RESTORE, read_weights
from mirror.errors import WeightsError
from mirror.latents.emphasis import emphasised
from mirror.latents.latents import SchoolGeometry
from mirror.signals import Floats

log = logging.getLogger(__name__)

Each = TypeVar("Each")

#: What a school's file holds of its geometry.
STORED = tuple(name for name in SchoolGeometry.__dataclass_fields__ if name != "emphasis")


def geometry_of(arrays: Mapping[str, Floats], frame: Frame, emphasis: float) -> SchoolGeometry:
    """A school's geometry from its file's arrays; KeyError where one is missing.

    emphasis: see ``FaceSettings``.
    """
    plain = SchoolGeometry(**{name: np.asarray(arrays[name], np.float32) for name in STORED})
    return replace(plain, emphasis=emphasised(plain, frame, emphasis))


def read_geometry(
    school: str, folder: Path, frame: Frame, emphasis: float
) -> tuple[SchoolGeometry, Floats]:
    """A school's geometry and the (N, 48) codes of its training portraits, its checksum verified.

    Raises WeightsError when the file is missing or damaged.
    """
    _, stored = read_weights(folder, school)
    try:
        arrays = load_arrays(stored)
        return geometry_of(arrays, frame, emphasis), np.asarray(arrays["codes"], np.float32)
    except (KeyError, ValueError, SafetensorError) as error:
        raise not_a_model(folder, school, error) from error


def each_school(read: Callable[[str], Each], folder: Path, strict: bool) -> dict[str, Each]:
    """What is read of each school, in their order.

    strict: raise WeightsError for the first one that is missing or damaged; otherwise log it and
    go on with the others, as long as there is one.
    """
    found: dict[str, Each] = {}
    for school in SCHOOLS:
        try:
            found[school] = read(school)
        except WeightsError as error:
            if strict:
                raise
            log.error("%s", error)
    if not found:
        raise WeightsError(str(folder), "no model can be used", ", ".join(SCHOOLS), RESTORE)
    return found


def not_a_model(folder: Path, school: str, error: Exception) -> WeightsError:
    """What is said of a whole file that is of another make."""
    found = f"not a model of this program ({error})"
    return WeightsError(str(folder / f"{school}.safetensors"), found, FORMAT, RESTORE)
