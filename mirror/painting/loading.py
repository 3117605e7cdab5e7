"""The models, loaded in a thread of their own so that the first picture need not wait for torch."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mirror import SCHOOLS
from mirror.errors import MirrorError, WeightsError
from mirror.latents.latents import APPEARANCE, WIDTH, join
from mirror.river.source import Density
from mirror.settings import FaceSettings

if TYPE_CHECKING:
    from mirror.faces import FaceModel


#: Loading takes seconds; on the slowest disk it may take so long before an end waits no more.
LONGEST_S = 60.0


@dataclass(frozen=True)
class Models:
    """The six models, by school in their fixed order, and what each could paint."""

    faces: dict[str, FaceModel]
    densities: tuple[Density, ...]


class Loading:
    """Models on their way. ``result`` is None until they are there."""

    def __init__(
        self, folder: Path, settings: FaceSettings, strict: bool = True,
        gate: threading.Event | None = None,
    ) -> None:  # fmt: skip
        """strict: see ``load``. gate: begin only when it is set, see ``Show``."""
        self._gate = gate
        self._folder, self._settings, self._strict = folder, settings, strict
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
            self._models = load(self._folder, self._settings, self._strict)
        except MirrorError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - whatever torch raises is told by the show
            self._error = WeightsError(
                str(self._folder), f"the models do not load ({error})", "", "mirror doctor"
            )


def load(folder: Path, settings: FaceSettings, strict: bool = True) -> Models:
    """The models, now; raises WeightsError or SettingsError.

    strict: False hands the stream of a damaged model to the next school, with a line in the log.
    """
    from mirror import faces as stage  # noqa: PLC0415 - torch takes seconds to import

    stage.paint_on_one_core()
    found = stage.load_faces(folder, settings.device, settings.accent, strict, settings.emphasis)
    order = [*SCHOOLS, *SCHOOLS]
    faces = {
        school: next(found[other] for other in order[n:] if other in found)
        for n, school in enumerate(SCHOOLS)
    }
    return Models(faces, tuple(density(model) for model in faces.values()))


def density(model: FaceModel) -> Density:
    """What a school could paint, for the river's source."""
    geometry = model.geometry
    scale = np.where(np.abs(model.training_codes).max(axis=0) > 0, 1.0, 0.0).astype(np.float32)
    mean = join(np.zeros(3, np.float32), geometry.mean, np.zeros(APPEARANCE, np.float32))
    assert mean.shape == (WIDTH,)
    basis = geometry.basis.reshape(len(geometry.basis), -1)  # (K, 1434)
    return Density(mean, geometry.pose_scale, np.ascontiguousarray(basis, np.float32), scale)
