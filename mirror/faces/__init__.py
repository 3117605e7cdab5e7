"""The faces stage: appearance codes come in, canonical textures go out.

``model.py``: one school's model; ``loading.py``: all six. ``originals.py``: keeps what is
painted away from the portraits learnt from. ``finisher.py``: the network that finishes a linear
sketch; ``crisp.py``: faint schools made crisp. ``wardrobe.py``: the hair and clothes that the
school painted, worn by nobody; ``skin.py``: what of them is skin. ``regions.py``: where in a
texture the face is, and what is worn. torch is used nowhere else but here and in the atelier.
"""

from __future__ import annotations

from mirror.faces.loading import choose_device, load_faces, paint_on_one_core
from mirror.faces.model import FaceModel, Shell, draw_codes

__all__ = ["FaceModel", "Shell", "choose_device", "draw_codes", "load_faces", "paint_on_one_core"]
