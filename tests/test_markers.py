"""Markers of a real face, found by the real networks, in pictures that were moved on purpose."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from skimage import data

from mirror import MARKERS
from mirror.errors import ShapeError
from mirror.markers.markers import FaceReader, contours, find_faces, matte, surface_triangles
from mirror.markers.sitters import SitterTracker
from mirror.settings import MarkerSettings
from mirror.signals import Bytes, Floats

SETTINGS = MarkerSettings()
FACE_PX = 109.0  # height of the astronaut's face in the picture of 512 x 512
FIRST_READS = 12  # by then, with nobody there, every tile of a wide picture was looked at


@pytest.fixture(scope="module")
def astronaut() -> Bytes:
    picture: Bytes = data.astronaut()
    picture.flags.writeable = False
    return picture


@pytest.fixture()
def reader() -> Iterator[FaceReader]:
    with FaceReader(SETTINGS) as reader:
        yield reader


def placed(
    picture: Bytes, x_px: float, y_px: float, scale: float = 1.0, size: tuple[int, int] = (640, 480)
) -> Bytes:
    """The picture scaled, its corner moved to (x, y), on a grey ground."""
    matrix = np.array([[scale, 0, x_px], [0, scale, y_px]], np.float64)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    if scale < 1:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=flags)
        picture, matrix = small, np.array([[1, 0, x_px], [0, 1, y_px]], np.float64)
    return cv2.warpAffine(picture, matrix, size, borderValue=(90, 90, 90))  # type: ignore[return-value]


def in_px(markers: Floats, picture: Bytes) -> np.ndarray:
    height, width = picture.shape[:2]
    return markers[:, :2] * (width, height)


def test_markers_are_image_normalised_float32(astronaut: Bytes, reader: FaceReader) -> None:
    (markers,) = reader.read(astronaut)
    assert (markers.shape, markers.dtype) == ((MARKERS, 3), np.dtype(np.float32))
    px = in_px(markers, astronaut)
    assert np.ptp(px[:, 1]) == pytest.approx(FACE_PX, rel=0.05)
    np.testing.assert_allclose(px[1], (224, 133), atol=5)  # the tip of the nose
    assert markers[1, 2] < markers[234, 2]  # it is nearer than the cheek


@pytest.mark.parametrize(
    ("x_px", "y_px", "scale"), [(0, 0, 1), (117, 43, 1), (-120, 0, 1), (0, 0, 0.6), (-300, 0, 2)]
)
def test_the_markers_move_and_grow_with_the_face(
    astronaut: Bytes, x_px: float, y_px: float, scale: float
) -> None:
    (before,) = find_faces(astronaut)
    picture = placed(astronaut, x_px, y_px, scale)
    (after,) = find_faces(picture)
    wanted = in_px(before, astronaut) * scale + (x_px, y_px)
    off = np.linalg.norm(in_px(after, picture) - wanted, axis=1) / (FACE_PX * scale)
    assert off.mean() < 0.02
    assert abs((in_px(after, picture) - wanted).mean(axis=0)).max() < 0.01 * FACE_PX * scale


def test_a_mirrored_face_has_mirrored_markers(astronaut: Bytes) -> None:
    (markers,) = find_faces(astronaut)
    (mirrored,) = find_faces(np.ascontiguousarray(astronaut[:, ::-1]))
    loops = contours()
    ours = markers[loops["oval"], 0].mean()
    assert 1 - mirrored[loops["oval"], 0].mean() == pytest.approx(ours, abs=0.003)


def test_a_moving_face_is_followed_without_lag(astronaut: Bytes, reader: FaceReader) -> None:
    paths = [(4.0 * n, 2.0 * n, 1 + 0.01 * n) for n in range(24)]
    read = []
    for path in paths:
        picture = placed(astronaut, *path)
        (markers,) = reader.read(picture)
        read.append((in_px(markers, picture) - path[:2]) / path[2])
    off = np.linalg.norm(np.array(read) - read[0], axis=2) / FACE_PX
    assert off[1:].mean() < 0.02


def test_a_turned_head_is_followed(astronaut: Bytes, reader: FaceReader) -> None:
    for degrees in range(0, 90, 3):
        matrix = cv2.getRotationMatrix2D((224, 110), degrees, 1)
        turned = cv2.warpAffine(astronaut, matrix, (512, 512))
        (markers,) = reader.read(turned)
        across = in_px(markers, turned)[263] - in_px(markers, turned)[33]
        assert -np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(degrees, abs=8)


def test_a_far_face_is_found_by_looking_at_one_tile_after_another(
    astronaut: Bytes, reader: FaceReader
) -> None:
    (near,) = find_faces(astronaut)
    scale = 50 / FACE_PX
    far = placed(astronaut, 760, 300, scale, (1280, 720))
    found = [reader.read(far) for _ in range(FIRST_READS)]
    (markers,) = found[-1]
    wanted = in_px(near, astronaut) * scale + (760, 300)
    off = np.linalg.norm(in_px(markers, far) - wanted, axis=1) / 50
    assert off.mean() < 0.05


def test_two_faces_side_by_side_are_two_sitters_with_ids_that_stay(
    astronaut: Bytes, reader: FaceReader
) -> None:
    tracker = SitterTracker(SETTINGS)
    pair = np.concatenate([astronaut, np.roll(astronaut, 5, axis=0)], axis=1)
    sides = set()
    for n in range(30):
        moved = np.roll(pair, n, axis=1)
        now = tracker.update(reader.read(moved), 2.0, n / 30)
        sides |= {(s.id, bool(s.markers[1, 0] > 0.5)) for s in now.sitters}
    assert sides in ({(1, False), (2, True)}, {(1, True), (2, False)})


def test_no_more_faces_are_read_than_are_asked_for(astronaut: Bytes) -> None:
    pair = np.concatenate([astronaut, placed(astronaut, 0, 0, 0.7, (512, 512))], axis=1)
    with FaceReader(MarkerSettings(sitters=1)) as one:
        assert [len(one.read(pair)) for _ in range(5)] == [1] * 5
    both = find_faces(pair, faces=2)
    assert len(both) == 2
    assert np.ptp(both[0][:, 1]) > np.ptp(both[1][:, 1])
    assert len(find_faces(pair, faces=1)) == 1


def test_where_nobody_is_nobody_is_found(reader: FaceReader) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (240, 320, 3), np.uint8)
    pictures = [np.zeros((240, 320, 3), np.uint8), noise, data.coffee(), data.rocket()]
    for picture in pictures:
        assert [len(reader.read(picture)) for _ in range(FIRST_READS)] == [0] * FIRST_READS
        assert find_faces(picture) == []


def test_a_face_that_is_gone_is_gone_at_once_and_found_again_at_once(
    astronaut: Bytes, reader: FaceReader
) -> None:
    empty = np.full_like(astronaut, 90)
    assert len(reader.read(astronaut)) == 1
    assert len(reader.read(empty)) == 0
    for _ in range(5):
        reader.read(empty)
    assert any(len(reader.read(astronaut)) == 1 for _ in range(2))


def test_another_size_of_picture_is_a_new_beginning(astronaut: Bytes, reader: FaceReader) -> None:
    reader.read(astronaut)
    large = placed(astronaut, 500, 300, 1, (1280, 900))
    assert any(len(reader.read(large)) == 1 for _ in range(2))


def test_reading_twice_gives_the_same_bits(astronaut: Bytes) -> None:
    def run() -> list[bytes]:
        with FaceReader(SETTINGS) as reader:
            films = [placed(astronaut, 3 * n, n) for n in range(12)]
            return [markers.tobytes() for picture in films for markers in reader.read(picture)]

    assert run() == run()


@pytest.mark.parametrize("writeable", (True, False))
def test_no_picture_is_kept(astronaut: Bytes, reader: FaceReader, writeable: bool) -> None:
    for _ in range(3):
        picture = astronaut.copy()
        picture.flags.writeable = writeable
        before, gone = sys.getrefcount(picture), weakref.ref(picture)
        markers = reader.read(picture)
        assert len(markers) == 1
        assert sys.getrefcount(picture) == before
        del picture
        assert gone() is None
    assert sum(a.nbytes for a in reachable_arrays(reader)) < 2 * MARKERS * 3 * 4


def reachable_arrays(root: object) -> list[np.ndarray]:
    """Every numpy array that can be reached from an object, its class and modules aside."""
    seen: set[int] = set()
    waiting, arrays = [root], []
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, (type, type(sys))) or callable(one):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            arrays.append(one)
        waiting.extend(gc.get_referents(one))
    return arrays


def test_a_reader_may_be_built_in_one_thread_and_used_and_closed_in_another(
    astronaut: Bytes,
) -> None:
    readers: list[FaceReader] = []
    counts: list[int] = []

    def use() -> None:
        counts.extend(len(readers[0].read(astronaut)) for _ in range(3))
        readers[0].close()

    for work in (lambda: readers.append(FaceReader(SETTINGS)), use):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert counts == [1, 1, 1]


def test_closing_twice_is_allowed() -> None:
    reader = FaceReader(SETTINGS)
    reader.close()
    reader.close()


def test_a_picture_of_another_kind_is_an_error(astronaut: Bytes, reader: FaceReader) -> None:
    for wrong in (astronaut[:, :, 0], astronaut / 255.0, np.zeros((8, 8, 4), np.uint8)):
        with pytest.raises(ShapeError, match="picture"):
            reader.read(wrong)
        with pytest.raises(ShapeError, match="picture"):
            matte(wrong)


def test_the_matte_holds_the_person_and_not_the_ground(astronaut: Bytes) -> None:
    soft = matte(astronaut)
    assert (soft.shape, soft.dtype) == (astronaut.shape[:2], np.dtype(np.float32))
    assert soft.min() >= 0
    assert soft.max() <= 1
    (markers,) = find_faces(astronaut)
    x, y = in_px(markers, astronaut).astype(int).T
    assert soft[y, x].mean() > 0.95
    assert soft[:100, -100:].mean() < 0.1


def test_outlines_and_triangles_go_clockwise_on_a_real_face(astronaut: Bytes) -> None:
    (markers,) = find_faces(astronaut)
    px = in_px(markers, astronaut)
    for loop in contours().values():
        x, y = px[loop].T
        assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0
    a, b, c = px[surface_triangles()].transpose(1, 0, 2)
    clockwise = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] > 0
    assert clockwise.mean() > 0.97


def test_mediapipe_comes_with_the_first_reader_and_without_a_word() -> None:
    code = """
import sys
from skimage import data
from mirror.markers.markers import FaceReader, contours, matte, surface_triangles
from mirror.settings import MarkerSettings
contours(), surface_triangles()
assert "mediapipe" not in sys.modules
with FaceReader(MarkerSettings()) as reader:
    print(len(reader.read(data.astronaut())))
matte(data.astronaut())
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "1\n", "")
