"""Mirror: a river of portraits that answers whoever stands before it.

The rooms are read in the order the light travels::

    camera -> markers -> latents -> river -> faces -> screen

Each stage takes one value, returns one value (``signals.py``) and knows only the value before
it. They meet in one place, ``show/show.py``. A room's ``__init__`` says what is in it; its main
module has its name.

Array legend, used in every docstring:

====  =======================================================================
B     batch
F     the six face models, in the order of ``SCHOOLS``
N     sitters in front of the camera (at most 4)
M     markers of one face: 478 (MediaPipe FaceMesh with irises)
V     vertices of a portrait's mesh
P     parcels of the river, or portraits drawn
D     width of a latent (``latents/`` holds its layout)
C,H,W colour channels, height, width; pictures are RGB, origin top left
====  =======================================================================
"""

from __future__ import annotations

import os

# Latents are many small matrix products: OpenBLAS's threads cost them six times what they take.
# Read once, when numpy is first imported; whoever has set it keeps it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

#: The six schools, in the fixed order that every array axis F follows.
SCHOOLS: tuple[str, ...] = ("panel", "chiaroscuro", "powder", "salon", "limner", "stone")

#: Markers of one face: MediaPipe FaceMesh, 468 on the surface and 10 on the irises.
MARKERS = 478
