"""The models, loaded in a thread of their own so that the first picture need not wait for torch.

Where nothing is to be drawn, torch is not loaded at all: markers are read without it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mirror import SCHOOLS
from mirror.canonical import load_mesh
from mirror.errors import MirrorError, WeightsError
from mirror.latents.latents import APPEARANCE, WIDTH, SchoolGeometry, join
from mirror.latents.stored import each_school, read_geometry
from mirror.river.source import Density
from mirror.settings import FaceSettings
from mirror.signals import Floats

if TYPE_CHECKING:
    from mirror.faces import FaceModel

Each = TypeVar("Each")

#: Loading takes seconds; on the slowest disk it may take so long before an end waits no more.
LONGEST_S = 60.0


@dataclass(frozen=True)
class Models:
    """Of the six schools, in their fixed order: how they read markers, and what they could paint.
    faces: the models by school; empty where nothing is to be drawn."""

    geometries: tuple[SchoolGeometry, ...]
    densities: tuple[Density, ...]
    faces: dict[str, FaceModel]


class Loading:
    """Models on their way. ``result`` is None until they are there."""

    def __init__(
        self, folder: Path, settings: FaceSettings, strict: bool = True,
        gate: threading.Event | None = None, paints: bool = True,
    ) -> None:  # fmt: skip
        """strict, paints: see ``load``. gate: begin only when it is set, see ``Show``."""
        self._gate = gate
        self._load_now = lambda: load(folder, settings, strict, paints)
        self._folder = folder
        self._models: Models | None = None
        self._error: MirrorError | None = None
        self._thread = threading.Thread(target=self._load, name="loading", daemon=True)
        self._thread.start()

    def result(self, wait: bool = False) -> Models | None:
        """The models, or None while they load; raises the MirrorError that loading met."""
        if wait:
            self._open_gate()
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._models

    def close(self) -> None:
        """Wait for the thread: a process that ends while torch is being imported is aborted."""
        self._open_gate()
        self._thread.join(timeout=LONGEST_S)

    def _open_gate(self) -> None:
        if self._gate is not None:
            self._gate.set()

    def _load(self) -> None:
        if self._gate is not None:
            self._gate.wait()
        try:
            self._models = self._load_now()
        except MirrorError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - whatever torch raises is told by the show
            self._error = WeightsError(
                str(self._folder), f"the models do not load ({error})", "", "mirror doctor"
            )


def load(
    folder: Path, settings: FaceSettings, strict: bool = True, paints: bool = True
) -> Models:  # fmt: skip
    """The models, now; raises WeightsError or SettingsError.

    strict: False hands the stream of a damaged model to the next school, with a line in the log.
    paints: whether they are to paint.
    """
    if not paints:
        read = {
            school: (geometry, density_of(geometry, codes))
            for school, (geometry, codes) in _read(folder, settings, strict).items()
        }
        geometries, densities = zip(*_handed_on(read).values())
        return Models(geometries, densities, {})
    from mirror import faces as stage  # noqa: PLC0415 - torch takes seconds to import

    stage.paint_on_one_core()
    found = stage.load_faces(folder, settings.device, settings.accent, strict, settings.emphasis)
    faces = _handed_on(found)
    geometries = tuple(model.geometry for model in faces.values())
    return Models(geometries, tuple(density(model) for model in faces.values()), faces)


def _read(
    folder: Path, settings: FaceSettings, strict: bool
) -> dict[str, tuple[SchoolGeometry, Floats]]:
    frame = load_mesh(folder).frame
    return each_school(
        lambda school: read_geometry(school, folder, frame, settings.emphasis), folder, strict
    )


def _handed_on(found: dict[str, Each]) -> dict[str, Each]:
    """All six schools; for one that is missing, the next."""
    order = [*SCHOOLS, *SCHOOLS]
    return {
        school: next(found[other] for other in order[n:] if other in found)
        for n, school in enumerate(SCHOOLS)
    }


def density(model: FaceModel) -> Density:
    """What a school could paint, for the river's source."""
    return density_of(model.geometry, model.training_codes)


def density_of(geometry: SchoolGeometry, codes: Floats) -> Density:
    """The same, from its geometry and the (N, 48) codes of its training portraits."""
    scale = np.where(np.abs(codes).max(axis=0) > 0, 1.0, 0.0).astype(np.float32)
    mean = join(np.zeros(3, np.float32), geometry.mean, np.zeros(APPEARANCE, np.float32))
    assert mean.shape == (WIDTH,)
    basis = geometry.basis.reshape(len(geometry.basis), -1)  # (K, 1434)
    return Density(mean, geometry.pose_scale, np.ascontiguousarray(basis, np.float32), scale)
