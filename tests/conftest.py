"""What every test stands on: one seed, a clock that only moves when told, golden pictures.

Warnings are fatal (setup.cfg); a test that cannot run here says why it is skipped.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mirror.canonical import Mesh, load_mesh
from mirror.clock import SteppedClock
from mirror.signals import Floats

if TYPE_CHECKING:
    from mirror.faces import FaceModel

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--redraw-golden",
        action="store_true",
        help="Draw the golden pictures anew instead of comparing with them.",
    )


@pytest.fixture(autouse=True)
def one_seed() -> None:
    """Every test begins with the same luck."""
    random.seed(1)
    np.random.seed(1)  # packages may draw from the old generator


@pytest.fixture
def clock() -> SteppedClock:
    """A clock at 0 s that moves only when told."""
    return SteppedClock()


@pytest.fixture
def redraw_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden pictures are to be drawn anew: ``make golden``."""
    return bool(request.config.getoption("--redraw-golden"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def mesh() -> Mesh:
    """The canonical mesh of the program's own weights."""
    return load_mesh()


@pytest.fixture(scope="session")
def faces() -> dict[str, FaceModel]:
    """The six models of the program's own weights, painting on the processor."""
    from mirror.faces import load_faces  # torch takes seconds to import

    return load_faces(device="cpu")


@pytest.fixture(scope="session")
def face() -> Floats:
    """The markers of a real face, (478, 3) float32, found in a square picture. Read only."""
    from skimage.data import astronaut

    from mirror.markers.markers import find_faces

    markers = find_faces(astronaut())[0]
    markers.flags.writeable = False
    return markers


@pytest.fixture(scope="session")
def pictures(faces: dict[str, FaceModel], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Portraits for the atelier, and files that are none: see ``atelier_pictures``. Read only."""
    from atelier_pictures import fill

    folder = tmp_path_factory.mktemp("pictures")
    fill(folder, faces)
    return folder
