"""Where the program's own folders lie: beside the package, in the checkout it was installed from.

``MIRROR_HOME`` names another checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

from mirror.errors import ScreenError, WeightsError


def home() -> Path:
    """The checkout that holds ``weights/``, ``shaders/`` and ``calibration/``."""
    return Path(os.environ.get("MIRROR_HOME") or Path(__file__).resolve().parent.parent)


def weights_folder(name: str = "") -> Path:
    """The folder of the six models, or the one named; raises WeightsError when there is none."""
    folder = Path(name) if name else home() / "weights"
    if not folder.is_dir():
        raise WeightsError(
            str(folder), "no such folder", "a folder of six models", "set MIRROR_HOME to a checkout"
        )
    return folder


def shaders_folder() -> Path:
    """The folder of GLSL sources; raises ScreenError when there is none."""
    folder = home() / "shaders"
    if not folder.is_dir():
        raise ScreenError(
            str(folder), "no such folder", "a folder of shaders", "set MIRROR_HOME to a checkout"
        )
    return folder


def sites_folder() -> Path:
    """The folder of site files."""
    return home() / "calibration"


def state_file(name: str = "") -> Path:
    """The file that a supervised river is saved in: the one named, or in the state folder of the
    service manager, or of the user."""
    if name:
        return Path(name)
    base = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if base:
        return Path(base) / "mirror.river"
    own = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(own) / "mirror" / "mirror.river"
