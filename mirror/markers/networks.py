"""FaceMesh's networks as MediaPipe packs them: the detector, the mesh with irises, and a matte.

In come small square pictures; out go numbers in units of their side. With ``markers.py`` the only
room that imports mediapipe, and that only when a network is built: it takes a second. A network
belongs to one thread at a time. It works in the thread that calls it, without a pool of its own:
measured, that takes a quarter less of the processors' time, and gives the same bits.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mirror import MARKERS
from mirror.markers.hush import hushed
from mirror.signals import Bytes, Floats

DETECTOR_PX, MESH_PX = 128, 192  # what the networks see; given as much, they need not resample
_STEP_US = 33_333  # MediaPipe wants a time for each picture, and makes no use of it here
_BYTES_A_MARKER = 17  # a serialised NormalizedLandmark with x, y, z: 2 + 3 * (1 + 4)

_IN_THIS_THREAD = 'executor { type: "ApplicationThreadExecutor" }'
_MESH = """
input_stream: "IMAGE:image"
input_stream: "ROI:region"
input_side_packet: "WITH_ATTENTION:irises"
output_stream: "LANDMARKS:found"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  input_side_packet: "WITH_ATTENTION:irises"
  output_stream: "LANDMARKS:found"
}
"""
_DETECTOR = """
input_stream: "IMAGE:image"
output_stream: "DETECTIONS:found"
node {
  calculator: "FaceDetectionShortRangeCpu"
  input_stream: "IMAGE:image"
  output_stream: "DETECTIONS:found"
  options { [mediapipe.FaceDetectionOptions.ext] { min_score_thresh: %f } }
}
"""


@dataclass(frozen=True)
class Detection:
    """A face as the detector sees it, in units of the picture's side, origin top left.

    score: its confidence, 0 to 1. points: (3, 2), the middle of its box and both eyes, the left one
    in the picture first. side: the longer side of its box.
    """

    score: float
    points: Floats
    side: float


class FaceNetworks:
    """The detector and the mesh network; ``close`` frees them.

    least_score: detections of less are not reported.
    """

    def __init__(self, least_score: float) -> None:
        with hushed():
            import mediapipe
            from mediapipe.framework.formats import rect_pb2
            from mediapipe.modules.face_detection import face_detection_pb2  # noqa: F401
            from mediapipe.python import packet_creator, resource_util

            resource_util.set_resource_dir(str(Path(mediapipe.__file__).parent.parent))
            irises = {"irises": packet_creator.create_bool(True)}
            all_of_it = rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1, height=1)
            self._region = packet_creator.create_proto(all_of_it)
            self._mesh: _Graph | None = _Graph(_MESH, irises)
            self._detector: _Graph | None = _Graph(_DETECTOR % least_score, {})
            self._warm_up()

    def _warm_up(self) -> None:
        """Run both once: the first run is slow, and talkative on stderr."""
        self.find_mesh(np.zeros((MESH_PX, MESH_PX, 3), np.uint8))
        self.detect(np.zeros((DETECTOR_PX, DETECTOR_PX, 3), np.uint8))

    def find_mesh(self, picture: Bytes) -> Floats | None:
        """(478, 3) float32 in a (192, 192, 3) uint8 RGB picture; None if no face fills it."""
        assert self._mesh is not None, "the networks are closed"
        found = self._mesh.run(picture, region=self._region)
        return None if found is None else _unpack(found)

    def detect(self, picture: Bytes) -> list[Detection]:
        """The faces in a (128, 128, 3) uint8 RGB picture, the most certain first."""
        assert self._detector is not None, "the networks are closed"
        found = [_detection(one) for one in self._detector.run(picture) or ()]
        return sorted(found, key=lambda one: -one.score)

    def close(self) -> None:
        """Free both; closing twice is allowed."""
        for graph in (self._mesh, self._detector):
            if graph is not None:
                graph.close()
        self._mesh = self._detector = None


def preload() -> None:
    """Import MediaPipe now, for networks that are built later, also in forks of this process."""
    with hushed():
        import mediapipe  # noqa: F401
        from google.protobuf import text_format  # type: ignore[import-untyped]  # noqa: F401
        from mediapipe.modules.face_detection import face_detection_pb2  # noqa: F401


class _Graph:
    """One of MediaPipe's graphs with one output: what its last run gave, or None."""

    def __init__(self, text: str, side_packets: dict[str, Any]) -> None:
        from google.protobuf import text_format
        from mediapipe.framework import calculator_pb2
        from mediapipe.python import CalculatorGraph, ImageFormat, packet_creator, packet_getter

        config = text_format.Parse(_IN_THIS_THREAD + text, calculator_pb2.CalculatorGraphConfig())
        self._graph = CalculatorGraph(graph_config=config)
        self._pack = functools.partial(
            packet_creator.create_image_frame, image_format=ImageFormat.SRGB, copy=True
        )
        many = "DETECTIONS" in text
        self._get = packet_getter.get_proto_list if many else packet_getter.get_proto
        self._found: Any = None
        self._time_us = 0
        self._graph.observe_output_stream("found", self._take)
        self._graph.start_run(side_packets)

    def _take(self, _: str, packet: Any) -> None:
        self._found = self._get(packet)

    def run(self, picture: Bytes, **packets: Any) -> Any:
        """Give one picture and what else the graph takes; wait for what it finds."""
        self._found = None
        self._time_us += _STEP_US
        for name, packet in {"image": self._pack(picture), **packets}.items():
            self._graph.add_packet_to_input_stream(name, packet.at(self._time_us))
        self._graph.wait_until_idle()
        return self._found

    def close(self) -> None:
        self._graph.close()
        del self._graph  # it holds _take, and so this: a circle that Python could not see


@functools.lru_cache(maxsize=1)
def segmenter() -> Any:
    """The person segmentation, built once and kept: ``process(picture).segmentation_mask``."""
    with hushed():
        from mediapipe.python.solutions import selfie_segmentation

        built = selfie_segmentation.SelfieSegmentation(model_selection=0)
        built.process(np.zeros((MESH_PX, MESH_PX, 3), np.uint8))
    return built


def packed_network(name: str) -> bytes:
    """The bytes of a TFLite network in MediaPipe's wheel, under ``modules``."""
    with hushed():
        import mediapipe
    return (Path(mediapipe.__file__).parent / "modules" / name).read_bytes()


def packed_schema() -> Any:
    """What reads such bytes: the TFLite schema that MediaPipe brings."""
    with hushed():
        from mediapipe.tasks.metadata import schema_py_generated
    return schema_py_generated


def _unpack(landmarks: Any) -> Floats:
    """A NormalizedLandmarkList as (478, 3) float32.

    From its serialised bytes: asking each landmark for each number takes a millisecond.
    """
    rows = np.frombuffer(landmarks.SerializeToString(), np.uint8)
    rows = rows.reshape(MARKERS, _BYTES_A_MARKER)
    x, y, z = (rows[:, start : start + 4] for start in (3, 8, 13))
    return np.concatenate([x, y, z], axis=1).view("<f4").astype(np.float32)  # (478, 3)


def _detection(message: Any) -> Detection:
    """MediaPipe's message, reduced to what is used of it."""
    box = message.location_data.relative_bounding_box
    left, right = message.location_data.relative_keypoints[:2]
    middle = (box.xmin + box.width / 2, box.ymin + box.height / 2)
    points = np.array([middle, (left.x, left.y), (right.x, right.y)], np.float32)
    return Detection(float(message.score[0]), points, max(box.width, box.height))
