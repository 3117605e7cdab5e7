"""From sitters to visits: where, how near, how fast, and nothing kept of who has left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mirror import SCHOOLS
from mirror.canonical import Mesh
from mirror.errors import ShapeError
from mirror.faces import FaceModel
from mirror.latents.floor import REACH
from mirror.latents.latents import CODE, POSE, SHAPE, WIDTH, SchoolGeometry, read_all, remove_pose
from mirror.latents.visitors import FASTEST, SETTLES_S, Visitors
from mirror.session.puppet import Pose, make_puppet, place
from mirror.session.synthetic import synthesise
from mirror.settings import MirrorSettings
from mirror.signals import Floats, Sitter, Sitters

ACCENT = 0.35
WIDE = 16 / 9
STILL = Pose()
RATE_HZ = 10.0


@pytest.fixture(scope="module")
def geometries(faces: dict[str, FaceModel]) -> list[SchoolGeometry]:
    return [model.geometry for model in faces.values()]


@pytest.fixture
def visitors(geometries: list[SchoolGeometry], mesh: Mesh) -> Visitors:
    return Visitors(geometries, mesh.frame, ACCENT)


def markers(
    mesh: Mesh, x: float = 0.5, tall: float = 0.3, pose: Pose = STILL, person: int = 0
) -> Floats:
    """A face of a person of one's own, so high in a wide picture."""
    puppet = make_puppet(mesh.frame, np.random.default_rng(person).uniform(-1, 1, 8))
    return place(puppet.face(pose), (x, 0.5), tall / puppet.height, WIDE)


def sitter(found: Floats, id: int = 1, presence: float = 1.0) -> Sitter:
    return Sitter(id, found, WIDE, presence, 0.2)


def test_a_sitter_becomes_a_visit_with_a_latent_for_each_school(
    visitors: Visitors, mesh: Mesh, geometries: list[SchoolGeometry]
) -> None:
    found = markers(mesh, pose=Pose(yaw=0.4, jaw=0.2))
    (visit,) = visitors.visits(Sitters(0.0, (sitter(found),)), WIDE)
    assert (visit.id, visit.motion) == (1, 0.2)
    assert visit.latents.shape == (len(SCHOOLS), WIDTH)
    assert visit.latents.dtype == visit.place.dtype == np.float32
    assert (visit.latents == read_all(geometries, mesh.frame, found, WIDE, ACCENT)).all()


@pytest.mark.parametrize("aspect", [0.5, 1.0, WIDE, 5.0])
def test_the_water_is_disturbed_where_the_visitor_stands(
    visitors: Visitors, mesh: Mesh, aspect: float
) -> None:
    for x in (0.2, 0.5, 0.8):
        (visit,) = visitors.visits(Sitters(0.0, (sitter(markers(mesh, x)),)), aspect)
        assert visit.place == pytest.approx([x * aspect, 0.55], abs=0.06 * max(aspect, 1.0))


def test_a_nearer_face_reaches_further_and_counts_for_more(visitors: Visitors, mesh: Mesh) -> None:
    visits = [
        visitors.visits(Sitters(0.0, (sitter(markers(mesh, tall=tall), id),)), WIDE)[0]
        for id, tall in enumerate((0.05, 0.1, 0.13, 0.2, 0.3, 0.6), 1)
    ]
    presences = [visit.presence for visit in visits]
    reaches = [visit.reach for visit in visits]
    assert presences == sorted(presences)
    assert reaches == sorted(reaches)
    assert (presences[0], presences[-1]) == (0.0, 1.0)
    assert (reaches[0], reaches[3], reaches[-1]) == pytest.approx(REACH, abs=0.01)


@pytest.mark.parametrize("near_height", [0.3, 0.5, 1.0])
def test_who_counts_in_full_reaches_as_far_wherever_that_begins(
    geometries: list[SchoolGeometry], mesh: Mesh, near_height: float
) -> None:
    mirror = MirrorSettings(near_height=near_height)
    visitors = Visitors(geometries, mesh.frame, ACCENT, mirror)
    (visit,) = visitors.visits(Sitters(0.0, (sitter(markers(mesh, tall=near_height)),)), WIDE)
    assert visit.reach == pytest.approx(REACH[1], abs=0.01)
    assert visit.presence == pytest.approx(1.0, abs=0.01)


def test_presence_is_never_more_than_the_sitters_own(visitors: Visitors, mesh: Mesh) -> None:
    (visit,) = visitors.visits(Sitters(0.0, (sitter(markers(mesh), presence=0.3),)), WIDE)
    assert visit.presence == pytest.approx(0.3)


def test_geometry_is_live_and_appearance_settles(
    visitors: Visitors, mesh: Mesh, geometries: list[SchoolGeometry]
) -> None:
    """A smile of a fifth of a second is seen at once, and does not call up another person."""
    calm, smiling = markers(mesh), markers(mesh, pose=Pose(smile=1.0, jaw=0.3, yaw=0.3))
    for n in range(int(SETTLES_S * RATE_HZ)):
        before = visitors.visits(Sitters(n / RATE_HZ, (sitter(calm),)), WIDE)[0]
    after = visitors.visits(Sitters((n + 2) / RATE_HZ, (sitter(smiling),)), WIDE)[0]
    fresh = Visitors(geometries, mesh.frame, ACCENT)
    alone = fresh.visits(Sitters(0.0, (sitter(smiling),)), WIDE)[0]
    assert (after.latents[:, POSE] == alone.latents[:, POSE]).all()
    meant = read_all(geometries, mesh.frame, calm, WIDE, ACCENT)[:, SHAPE]
    smile = remove_pose(smiling, WIDE, mesh.frame)[1] - remove_pose(calm, WIDE, mesh.frame)[1]
    assert np.abs(after.latents[:, SHAPE] - meant - smile.ravel()).max() < 0.1 * np.ptp(smile)
    moved = np.linalg.norm(after.latents[:, CODE] - before.latents[:, CODE], axis=1)
    whole = np.linalg.norm(alone.latents[:, CODE] - before.latents[:, CODE], axis=1)
    assert (moved < 0.1 * whole).all()
    assert (whole > 0.1).all()


def test_the_river_takes_in_a_face_at_rest(visitors: Visitors, mesh: Mesh) -> None:
    """Somebody speaks for ten seconds, looking askance, and leaves in the middle of a word."""

    def lips_apart(latents: Floats) -> Floats:
        lips = latents[:, SHAPE].reshape(6, 478, 3)[:, mesh.frame.inner_lips, 1]
        return np.ptp(lips + mesh.frame.mean[mesh.frame.inner_lips, 1], axis=1)

    closed = visitors.visits(Sitters(0.0, (sitter(markers(mesh)),)), WIDE)[0]
    for n in range(1, 101):
        speaking = Pose(jaw=0.5 if n % 5 < 3 else 0.0, yaw=0.3 if n % 5 < 3 else -0.3)
        time_s = n / RATE_HZ
        visit = visitors.visits(Sitters(time_s, (sitter(markers(mesh, pose=speaking)),)), WIDE)[0]
    visit = visitors.visits(
        Sitters(time_s + 0.1, (sitter(markers(mesh, pose=Pose(jaw=0.5, yaw=0.3))),)), WIDE
    )[0]
    wide, rest = lips_apart(visit.latents), lips_apart(visit.left_behind)
    assert (wide > 4 * lips_apart(closed.latents)).all()
    assert (rest - lips_apart(closed.latents) < 0.1 * (wide - lips_apart(closed.latents))).all()
    assert (np.abs(visit.left_behind[:, 0]) < np.abs(visit.latents[:, 0])).all()
    assert (visit.left_behind[:, CODE] == visit.latents[:, CODE]).all()


def test_first_appearance_is_the_mean_of_what_was_seen(
    visitors: Visitors, mesh: Mesh, geometries: list[SchoolGeometry]
) -> None:
    rng = np.random.default_rng(8)
    codes = []
    for n in range(12):
        pose = Pose(yaw=rng.uniform(-0.4, 0.4), jaw=rng.uniform(0, 0.2))
        found = markers(mesh, pose=pose)
        visit = visitors.visits(Sitters(n / RATE_HZ, (sitter(found),)), WIDE)[0]
        codes.append(read_all(geometries, mesh.frame, found, WIDE, ACCENT)[:, CODE].copy())
    assert visit.latents[:, CODE] == pytest.approx(np.mean(codes[1:], axis=0), abs=1e-3)


def test_all_that_was_known_of_a_sitter_is_forgotten_on_leaving(
    visitors: Visitors, mesh: Mesh, geometries: list[SchoolGeometry]
) -> None:
    for n in range(20):
        visitors.visits(Sitters(n / RATE_HZ, (sitter(markers(mesh, person=1)),)), WIDE)
    assert visitors.visits(Sitters(2.0), WIDE) == []
    assert visitors.stirs() == ()
    found = markers(mesh, person=2)
    again = visitors.visits(Sitters(2.1, (sitter(found),)), WIDE)[0]
    anew = Visitors(geometries, mesh.frame, ACCENT).visits(Sitters(2.1, (sitter(found),)), WIDE)[0]
    assert (again.latents == anew.latents).all()


def test_two_sitters_are_told_apart_by_their_ids(
    visitors: Visitors, mesh: Mesh, geometries: list[SchoolGeometry]
) -> None:
    one, two = markers(mesh, 0.3, person=1), markers(mesh, 0.7, person=2)
    for n in range(10):
        both = (sitter(one, 1), sitter(two, 2)) if n % 2 else (sitter(two, 2), sitter(one, 1))
        visits = {v.id: v for v in visitors.visits(Sitters(n / RATE_HZ, both), WIDE)}
    for id, found in ((1, one), (2, two)):
        wanted = read_all(geometries, mesh.frame, found, WIDE, ACCENT)
        assert visits[id].latents == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("speed", [-0.8, -0.2, 0.2, 0.8])
def test_movement_stirs_the_water_where_and_whither_it_goes(
    visitors: Visitors, mesh: Mesh, speed: float
) -> None:
    """speed: screen heights a second, to the right."""
    for n in range(10):
        x = 0.5 + speed * (n / 30) / WIDE
        visits = visitors.visits(Sitters(n / 30, (sitter(markers(mesh, x)),)), WIDE)
    (stir,) = visitors.stirs()
    assert stir.place == pytest.approx(tuple(visits[0].place))
    assert stir.velocity == pytest.approx((speed, 0.0), abs=0.15)
    assert stir.radius > 0


def test_who_sways_stands_where_they_are_and_who_walks_soon_stands_elsewhere(
    visitors: Visitors, mesh: Mesh
) -> None:
    places, stands = [], []
    for n in range(300):
        x = 0.4 + 0.06 * np.sin(n / 5) if n < 150 else 0.7
        (visit,) = visitors.visits(Sitters(n / 15, (sitter(markers(mesh, x)),)), WIDE)
        places.append(visit.place[0])
        stands.append(visit.stands[0])
    assert np.ptp(stands[60:150]) < 0.2 * np.ptp(places[60:150])
    assert abs(stands[-1] - places[-1]) < 0.1 * (0.3 * WIDE)


def test_a_face_that_leaps_stirs_no_faster_than_allowed(visitors: Visitors, mesh: Mesh) -> None:
    for n in range(20):
        x = 0.2 + 0.6 * (n % 2)
        visitors.visits(Sitters(n / 30, (sitter(markers(mesh, x)),)), WIDE)
        for stir in visitors.stirs():
            assert np.hypot(*stir.velocity) <= FASTEST + 1e-6


def test_a_still_face_stops_stirring(visitors: Visitors, mesh: Mesh) -> None:
    for n in range(40):
        x = 0.5 + 0.02 * min(n, 10)
        visitors.visits(Sitters(n / 30, (sitter(markers(mesh, x)),)), WIDE)
    assert np.hypot(*visitors.stirs()[0].velocity) < 0.02


def test_time_that_stands_still_or_goes_back_changes_nothing(
    visitors: Visitors, mesh: Mesh
) -> None:
    first = visitors.visits(Sitters(5.0, (sitter(markers(mesh, 0.4)),)), WIDE)[0]
    for time_s in (5.0, 4.0):
        again = visitors.visits(Sitters(time_s, (sitter(markers(mesh, 0.6)),)), WIDE)[0]
        assert (again.latents[:, CODE] == first.latents[:, CODE]).all()
        assert np.isfinite(again.latents).all()
        assert np.hypot(*visitors.stirs()[0].velocity) == 0


def test_markers_of_another_shape_are_refused(visitors: Visitors) -> None:
    with pytest.raises(ShapeError, match="markers"):
        visitors.visits(Sitters(0.0, (sitter(np.zeros((468, 3), np.float32)),)), WIDE)


def test_a_calibrated_camera_beside_the_screen_shows_visitors_where_they_stand(
    geometries: list[SchoolGeometry], mesh: Mesh
) -> None:
    """Screen 2 m wide, camera 1 m to its left and turned: what it sees, by the pinhole."""
    camera_m, face_m, focal, turn = -1.0, 0.19, 1.2, 0.8
    calibrated = MirrorSettings(
        camera_x=camera_m / 2, reach_x=face_m / 2, turn_x=face_m * focal * turn / 2, beside=0.1
    )
    for stand_m, away_m, counts in ((0.4, 1.0, True), (1.6, 1.5, True), (2.6, 2.0, False)):
        seen = Visitors(geometries, mesh.frame, ACCENT, calibrated)
        u = focal * ((stand_m - camera_m) / away_m - turn)
        found = markers(mesh, x=0.5 + u / WIDE, tall=focal * face_m / away_m)
        (visit,) = seen.visits(Sitters(0.0, (sitter(found),)), WIDE)
        assert visit.place[0] / WIDE == pytest.approx(stand_m / 2, abs=0.06)
        assert (visit.presence > 0.2) is counts


def test_who_nods_does_not_go_to_another_place(
    geometries: list[SchoolGeometry], mesh: Mesh
) -> None:
    calibrated = MirrorSettings(camera_x=0.5, reach_x=0.1)
    seen = Visitors(geometries, mesh.frame, ACCENT, calibrated)
    places = []
    for n in range(30):
        found = markers(mesh, x=0.7, tall=0.3 * (0.9 if n % 4 < 2 else 1.0))
        (visit,) = seen.visits(Sitters(n / 30, (sitter(found),)), WIDE)
        places.append(float(visit.place[0]))
    alone = [
        float(Visitors(geometries, mesh.frame, ACCENT, calibrated).visits(
            Sitters(0.0, (sitter(markers(mesh, x=0.7, tall=tall)),)), WIDE)[0].place[0])
        for tall in (0.27, 0.3)
    ]  # fmt: skip
    assert np.ptp(places[10:]) < 0.4 * np.ptp(alone)


def test_what_was_read_before_gives_the_same_visits(
    geometries: list[SchoolGeometry], mesh: Mesh
) -> None:
    at_once, ahead = (Visitors(geometries, mesh.frame, ACCENT) for _ in range(2))
    moments = list(synthesise(16.0, 1))[::3]
    readings = iter(ahead.read([each for moment in moments for each in moment.sitters]))
    for moment in moments:
        one = at_once.visits(moment, WIDE)
        other = ahead.visits(moment, WIDE, [next(readings) for _ in moment.sitters])
        assert len(one) == len(other) == len(moment.sitters)
        for a, b in zip(one, other):
            assert a.latents.tobytes() == b.latents.tobytes()
            assert a.left_behind.tobytes() == b.left_behind.tobytes()
            assert (a.place == b.place).all()
            assert (a.id, a.presence, a.motion, a.reach) == (b.id, b.presence, b.motion, b.reach)


def test_moments_that_the_river_does_not_ask_for_leave_no_trace_in_its_visits(
    geometries: list[SchoolGeometry], mesh: Mesh
) -> None:
    """Nor does drawing them."""
    drawn, sparse = (Visitors(geometries, mesh.frame, ACCENT) for _ in range(2))
    moments = [each for each in synthesise(16.0, 1) if len(each.sitters) == 1]
    for number, moment in enumerate(moments[:60]):
        drawn.meet(moment, WIDE)
        drawn.present()
        if number % 3 == 0:
            sparse.meet(moment, WIDE)
            (one,), (other,) = drawn.attend(), sparse.attend()
            assert one.latents.tobytes() == other.latents.tobytes()
            assert one.left_behind.tobytes() == other.left_behind.tobytes()
            assert (one.place == other.place).all()
            assert (one.presence, one.reach) == (other.presence, other.reach)
        elif number > 10:
            (shown,) = drawn.present()
            assert shown.latents[:, CODE].tobytes() == one.latents[:, CODE].tobytes()
            assert shown.latents[:, SHAPE].tobytes() != one.latents[:, SHAPE].tobytes()


@pytest.mark.parametrize("what", ["nan", "inf", "point", "line", "aspect", "presence", "motion"])
def test_markers_without_a_face_in_them_visit_nobody(
    visitors: Visitors, mesh: Mesh, what: str
) -> None:
    """A recording may hold such numbers; whoever stands beside is there all the same."""
    found = markers(mesh)
    broken = sitter(found.copy(), 1)
    if what in ("nan", "inf"):
        broken.markers[7, 2] = float(what)
    elif what in ("point", "line"):
        broken.markers[:, : 2 if what == "point" else 1] = 0.5
    else:
        broken = replace(broken, **{what: float("nan")})
    for _ in range(2):
        visits = visitors.visits(Sitters(0.0, (broken, sitter(found, 2))), WIDE)
        assert [visit.id for visit in visits] == [2]
        assert np.isfinite(visits[0].latents).all()
    assert visitors.visits(Sitters(0.1, (broken,)), WIDE) == []
