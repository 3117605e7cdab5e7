"""The camera stage: a device, a URL or a file comes in, the newest ``Frame`` goes out.

Read in this order:

- ``sources``: what a text names (``parse_source``), and which cameras there are
  (``list_devices``);
- ``faults``: what can go wrong, counted, and how long to wait before the next try;
- ``readers``: one opened device, URL or file, picture by picture;
- ``films``: a file in order (``every_frame``), and what kind of file it is (``probe``);
- ``capture``: ``Camera``, which owns the threads and keeps the newest frame.

A picture is turned to RGB, set upright and mirrored here, once, and nowhere else. No other part
of the program opens a camera.
"""

from __future__ import annotations

from mirror.camera.capture import Camera
from mirror.camera.faults import KINDS, STATES, Faults
from mirror.camera.films import FileFacts, every_frame, probe
from mirror.camera.readers import Achieved
from mirror.camera.sources import DeviceFacts, Source, list_devices, parse_source

__all__ = [
    "KINDS",
    "STATES",
    "Achieved",
    "Camera",
    "DeviceFacts",
    "Faults",
    "FileFacts",
    "Source",
    "every_frame",
    "list_devices",
    "parse_source",
    "probe",
]
