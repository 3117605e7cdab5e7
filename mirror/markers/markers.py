"""From a picture to the markers of the faces in it.

In comes one frame's picture; out go (478, 3) markers for each face, and nothing else: the picture
is neither kept nor referred to after ``FaceReader.read`` returns, and nothing is computed that
could tell one person from another. Called by the markers thread; every reader belongs to the
thread that calls it (it may have been built by another). With ``networks.py``, which it
alone uses, the only room that imports mediapipe.

The networks are FaceMesh's own: a face detector that sees 128 x 128 pixels, and the mesh network
with irises that sees 192 x 192. They are run from here rather than by the ready-made ``FaceMesh``
for three reasons, each measured:

- its detector sees the whole picture only, so a face under a tenth of the picture's width is not
  found: nobody farther than some two metres. Here it also looks at a tile of the picture in each
  read, another each time, and soon finds faces of a third of that size;
- it follows a face-like plant for seconds. Here every new face is looked at a second time, close
  up, and is not reported before the detector has agreed about its place, size and tilt (with
  a confidence of 0.84 and more for filmed faces, 0.64 and less for what was none);
- it runs its detector on every frame as long as fewer faces are there than it may follow; here,
  beside faces that are followed, every other frame.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from mirror.closeable import Closeable
from mirror.markers import patches
from mirror.markers.networks import DETECTOR_PX, MESH_PX, Detection, FaceNetworks, segmenter
from mirror.markers.patches import Patch
from mirror.markers.topology import contours, surface_triangles
from mirror.settings import MarkerSettings
from mirror.signals import Bytes, Floats, check

__all__ = ["FaceReader", "contours", "find_faces", "matte", "surface_triangles"]

_ROOM = 1.5  # side of the mesh network's patch, in sides of the face: as it was trained
_SECOND_ROOM = 2.2  # side of the second look's patch, in sides of the face
_SURE = 0.7  # the detector's confidence, close up, from which something is a face
_STILL_THERE = 0.4  # and the one under which a face that is followed is doubted
_DOUBTS = 5  # so many doubts in a row, and it is no longer followed
_LOOKS_EVERY = 4  # reads between two looks at faces that are followed
_EYE_CORNERS = (33, 263)  # outer corners, left and right in the picture: how a face is tilted


@dataclass(frozen=True)
class _Face:
    """A face that is followed: (478, 3) markers in picture pixels, and whether it surely is one."""

    markers_px: Floats
    sure: bool = False
    doubts: int = 0

    @functools.cached_property
    def patch(self) -> Patch:
        """The upright-headed square round the face, without room around it."""
        low, high = self.markers_px[:, :2].min(axis=0), self.markers_px[:, :2].max(axis=0)
        left, right = self.markers_px[list(_EYE_CORNERS), :2]
        angle = math.atan2(float(right[1] - left[1]), float(right[0] - left[0]))
        x, y = ((low + high) / 2).tolist()
        return Patch(x, y, float((high - low).max()), angle)


class FaceReader(Closeable):
    """Finds up to ``settings.sitters`` faces and follows them from picture to picture.

    static: every picture stands for itself: the whole of it is searched, nothing is followed.
    A context manager; ``close`` frees the networks.
    """

    def __init__(self, settings: MarkerSettings, static: bool = False) -> None:
        self._settings, self._static = settings, static
        self._faces: list[_Face] = []
        self._turn = 0
        self._shape: tuple[int, ...] = ()
        self._places: tuple[list[Patch], list[Patch]] = ([], [])
        self._networks = FaceNetworks(min(settings.confidence, _STILL_THERE))

    def close(self) -> None:
        """Free the networks; the reader cannot be used afterwards. Closing twice is allowed."""
        self._faces = []
        self._networks.close()

    def read(self, picture: Bytes) -> list[Floats]:
        """The markers of every face in a (H, W, 3) uint8 RGB picture, at most settings.sitters.

        Each (478, 3) float32, image-normalised: x by the width, y by the height, origin top left,
        z by the width, negative towards the camera; unfiltered. Those followed longest come first,
        of a static picture the largest. Raises ShapeError.
        """
        check("picture", picture, (None, None, 3), np.uint8)
        faces = self._search_all(picture) if self._static else self._follow_all(picture)
        height, width = picture.shape[:2]
        units = np.array([1 / width, 1 / height, 1 / width], np.float32)
        return [face.markers_px * units for face in faces if face.sure]

    def _follow_all(self, picture: Bytes) -> list[_Face]:
        """Follow the faces of the last read, then look for new ones where it is the turn of."""
        if picture.shape != self._shape:  # another camera: what was where means nothing now
            self._faces, self._shape = [], picture.shape
            self._places = _places(picture)
        moved = [self._follow(picture, face) for face in self._faces]
        faces = _apart([face for face in moved if face is not None])
        for patch in self._places_to_search(picture, faces):
            faces = self._search(picture, patch, faces)
        faces = [self._look_again(picture, face, n) for n, face in enumerate(faces)]
        self._faces = [face for face in faces if face.doubts < _DOUBTS]
        self._turn += 1
        return self._faces

    def _places_to_search(self, picture: Bytes, faces: list[_Face]) -> list[Patch]:
        """A near and a far place, others in each read; while faces are followed, one in two reads.

        So nobody near waits for more than an eighth of a second in an empty room at 30 pictures a
        second, nobody far for more than a third; four times that beside others.
        """
        if len(faces) >= self._settings.sitters:
            return []
        pace = 4 if faces else 1
        turn, phase = divmod(self._turn, pace)
        near, far = self._places
        places = [(0, near[turn % len(near)]), (pace // 2, far[turn % len(far)])]
        return [place for due, place in places if phase == due]

    def _search_all(self, picture: Bytes) -> list[_Face]:
        """Every face of a picture that stands for itself, the largest first."""
        faces: list[_Face] = []
        for patch in itertools.chain(*_places(picture)):
            if len(faces) < self._settings.sitters:
                found = self._search(picture, patch, faces)
                looked = [face if face.sure else self._look(picture, face) for face in found]
                faces = [face for face in looked if face.sure]
        return sorted(faces, key=lambda face: -face.patch.side_px)

    def _search(self, picture: Bytes, patch: Patch, faces: list[_Face]) -> list[_Face]:
        """The faces, and after them those newly detected in one patch."""
        for _, found in self._detect(picture, patch):
            if len(faces) < self._settings.sitters and not any(_same(found, f) for f in faces):
                new = self._follow(picture, self._find_mesh(picture, found.scaled(_ROOM)))
                faces = _apart(faces if new is None else [*faces, new])
        return faces

    def _follow(self, picture: Bytes, face: _Face | None) -> _Face | None:
        """The same face in this picture, sought where it was; None if it is not there."""
        if face is None:
            return None
        found = self._find_mesh(picture, face.patch.scaled(_ROOM))
        return found and replace(found, sure=face.sure, doubts=face.doubts)

    def _look_again(self, picture: Bytes, face: _Face, place: int) -> _Face:
        """Look at a new face at once, at those that are followed from time to time."""
        due = (self._turn + 2 * place) % _LOOKS_EVERY == 1  # in reads that do not search
        return self._look(picture, face) if due or not face.sure else face

    def _look(self, picture: Bytes, face: _Face) -> _Face:
        """Ask the detector again, close up, whether this is a face, and lies as the mesh does."""
        near = face.patch.scaled(_SECOND_ROOM)
        scores = [score for score, found in self._detect(picture, near) if _agree(found, face)]
        score = max(scores, default=0.0)
        needed = self._settings.confidence if self._static else _SURE
        if score >= (_STILL_THERE if face.sure else needed):
            return replace(face, sure=True, doubts=0)
        return replace(face, doubts=face.doubts + 1)

    def _find_mesh(self, picture: Bytes, patch: Patch) -> _Face | None:
        """Run the mesh network on a patch; None if it sees no face in it."""
        found = self._networks.find_mesh(patches.cut(picture, patch, MESH_PX, replicate=True))
        return None if found is None else _Face(patches.to_picture(patch, found))

    def _detect(self, picture: Bytes, patch: Patch) -> list[tuple[float, Patch]]:
        """Run the detector on a patch: confidences and upright-headed squares, best first."""
        found = self._networks.detect(patches.cut(picture, patch, DETECTOR_PX))
        return [(one.score, _square(one, patch)) for one in found]


def find_faces(picture: Bytes, faces: int = 1, confidence: float = 0.5) -> list[Floats]:
    """The largest faces of a single (H, W, 3) uint8 RGB picture, as ``FaceReader.read`` gives them.

    For training and measuring: the networks are kept for the next call, from one thread only.
    """
    return _static_reader(faces, confidence).read(picture)


def matte(picture: Bytes) -> Floats:
    """How much of each pixel is a person (head, hair, shoulders): (H, W) float32, 0 to 1.

    For training, from one thread only; painted persons are found as well as real ones.
    """
    check("picture", picture, (None, None, 3), np.uint8)
    mask = segmenter().process(np.array(picture)).segmentation_mask
    return np.clip(np.array(mask, np.float32), 0, 1)


@functools.lru_cache(maxsize=4)
def _static_reader(faces: int, confidence: float) -> FaceReader:
    settings = MarkerSettings(sitters=faces, confidence=confidence)
    return FaceReader(settings, static=True)


def _places(picture: Bytes) -> tuple[list[Patch], list[Patch]]:
    """Where the detector looks: near (faces from a tenth of the shorter side on), and far.

    It sees faces that take an eighth of its view or more. Far are faces half as large: a visitor
    several metres away.
    """
    near = [patches.whole(picture), *patches.tiles(picture, 1.0)]
    return near if len(near) > 2 else near[:1], patches.tiles(picture, 0.5)


def _square(detection: Detection, patch: Patch) -> Patch:
    """A detection in a patch as an upright-headed square of the picture, without room around."""
    (x, y), left, right = patches.to_picture(patch, detection.points)
    angle = math.atan2(float(right[1] - left[1]), float(right[0] - left[0]))
    return Patch(float(x), float(y), detection.side * patch.side_px, angle)


def _same(patch: Patch, face: _Face) -> bool:
    """Whether a square lies on a face: two heads in one picture keep at least so far apart."""
    other = face.patch
    apart = math.hypot(patch.x_px - other.x_px, patch.y_px - other.y_px)
    return apart < 0.4 * (patch.side_px + other.side_px) / 2


def _agree(patch: Patch, face: _Face) -> bool:
    """Whether the detector puts a face where the mesh lies, as large and as tilted.

    The bounds hold for all of 660 true faces measured, filmed, painted and sculpted.
    """
    other = face.patch
    apart = math.hypot(patch.x_px - other.x_px, patch.y_px - other.y_px)
    tilt = abs(math.remainder(patch.angle_rad - other.angle_rad, math.tau))
    alike = 0.75 < patch.side_px / other.side_px < 1.15
    return alike and tilt < 0.36 and apart < 0.18 * other.side_px


def _apart(faces: list[_Face]) -> list[_Face]:
    """The faces without those that slid onto one that was there before them."""
    kept: list[_Face] = []
    for face in faces:
        if not any(_same(face.patch, other) for other in kept):
            kept.append(face)
    return kept
