"""The camera stage: a device, a URL or a file comes in, the newest ``Frame`` goes out.

Read in this order:

- ``sources``: what a text names (``parse_source``), and which cameras there are
  (``list_devices``);
- ``identity``: which camera it is, told so that it is known again;
- ``faults``: what can go wrong, counted, and how long to wait before the next try;
- ``controls``: exposure, gain, white balance and focus of a device, set and read back;
- ``readers``: one opened device, URL or file, picture by picture;
- ``films``: a file in order (``every_frame``), and what kind of file it is (``probe``);
- ``capture``: ``Camera``, which owns the threads and keeps the newest frame.

A picture is turned to RGB, set upright and mirrored here, once, and nowhere else. No other part
of the program opens a camera.
"""

from __future__ import annotations

from mirror.camera.capture import Camera
from mirror.camera.controls import Control, refused
from mirror.camera.faults import KINDS, STATES, Faults
from mirror.camera.films import FileFacts, every_frame, probe
from mirror.camera.identity import (
    card_of,
    device_at,
    hold_address,
    identify,
    identity_of,
    known_again,
)
from mirror.camera.readers import Achieved
from mirror.camera.sources import DeviceFacts, Source, list_devices, parse_source

__all__ = [
    "KINDS",
    "STATES",
    "Achieved",
    "Camera",
    "Control",
    "DeviceFacts",
    "Faults",
    "FileFacts",
    "Source",
    "card_of",
    "device_at",
    "every_frame",
    "hold_address",
    "identify",
    "identity_of",
    "known_again",
    "list_devices",
    "parse_source",
    "probe",
    "refused",
]
