"""A session comes back bit for bit, and other programs can read it."""

from __future__ import annotations

import base64
import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader

from mirror.errors import SessionError, ShapeError
from mirror.session import Event, open_session, survey
from mirror.session.export import export
from mirror.session.film import film
from mirror.session.messages import (
    decode_moment,
    encode_moment,
    encode_picture,
    pack_markers,
    unpack_markers,
)
from mirror.session.picture import as_jpeg, from_jpeg
from mirror.session.schemas import Moment
from mirror.session.synthetic import synthesise
from mirror.session.tape import Tape
from mirror.signals import Frame, Sitter, Sitters
from tests.recordings import BEGAN_NS, HEADER, bits, room, sitter, write

MOMENTS = room(6.0)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sessions") / "evening.mcap", MOMENTS)


def test_sitters_come_back_bit_for_bit_at_the_same_times(evening: Path) -> None:
    assert [bits(s) for s in open_session(evening).sitters()] == [bits(s) for s in MOMENTS]


def test_the_header_comes_back_without_the_camera_s_password(evening: Path) -> None:
    settings = {"river": {"parcels": 96}, "camera": {"source": "rtsp://host/eye"}}
    assert open_session(evening).header == replace(HEADER, settings=settings)
    assert b"secret" not in evening.read_bytes()


def test_capture_and_arrival_come_back(evening: Path) -> None:
    moment = next(open_session(evening).moments(from_s=2.0))
    assert moment.capture_s == moment.sitters.time_s
    assert moment.arrival_s == moment.sitters.time_s + 0.01
    assert moment.wall_ns == BEGAN_NS + round(moment.sitters.time_s * 1e9)


def test_the_river_s_hashes_come_back(evening: Path) -> None:
    hashes = list(open_session(evening).hashes())
    assert [h.step for h in hashes] == [0, 30, 60, 90, 120, 150]
    assert all(h.sha256 == f"{h.step:064x}" for h in hashes)
    assert all(h.time_s == MOMENTS[h.step].time_s for h in hashes)


def test_arrivals_and_leavings_are_events(evening: Path) -> None:
    told = [(event.kind, event.id) for event in open_session(evening).events()]
    assert told == [
        ("arrived", 1), ("arrived", 2), ("left", 2), ("arrived", 2),
    ]  # fmt: skip


def test_the_duration_is_the_time_of_the_last_message(evening: Path) -> None:
    session = open_session(evening)
    assert session.duration_s == pytest.approx(MOMENTS[-1].time_s, abs=1e-6)
    assert session.is_whole


def test_a_seek_gives_the_same_moments_and_lets_those_present_arrive(evening: Path) -> None:
    wanted = [s for s in MOMENTS if 2.0 <= s.time_s <= 4.0]
    found = list(open_session(evening).sitters(from_s=2.0, to_s=4.0))
    assert [s.time_s for s in found] == [s.time_s for s in wanted]
    assert found[0].arrived == (1, 2)
    assert [bits(s) for s in found[1:]] == [bits(s) for s in wanted[1:]]


def test_times_are_counted_from_the_header_s_start(tmp_path: Path) -> None:
    late = [replace(s, time_s=s.time_s + 1000.0) for s in MOMENTS[:30]]
    path = write(tmp_path / "late.mcap", late, replace(HEADER, start_s=1000.0))
    assert [s.time_s for s in open_session(path).sitters()] == [s.time_s - 1000.0 for s in late]


def test_not_a_number_comes_back_as_one() -> None:
    odd = replace(sitter(1, np.random.default_rng(1)), motion=float("nan"))
    odd.markers[3] = np.nan
    back = decode_moment(encode_moment(Moment(Sitters(0.0, (odd,)), 0.0, 0.0, 0))).sitters
    assert np.isnan(back.sitters[0].motion)
    assert back.sitters[0].markers.tobytes() == odd.markers.tobytes()


@pytest.mark.parametrize("bad", [np.zeros((468, 3), np.float32), np.zeros((478, 3))])
def test_markers_of_another_shape_or_kind_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="markers"):
        pack_markers(bad)


def test_markers_that_lie_scattered_in_memory_are_packed_alike() -> None:
    markers = np.random.default_rng(2).normal(size=(3, 956)).astype(np.float32)[:, ::2].T
    assert (
        unpack_markers(pack_markers(markers)).tobytes() == np.ascontiguousarray(markers).tobytes()
    )


def test_the_mcap_library_alone_reads_it_as_the_readme_says(evening: Path) -> None:
    found = []
    with open(evening, "rb") as file:
        reader = make_reader(file, validate_crcs=True)
        for schema, channel, message in reader.iter_messages("/sitters"):
            assert schema is not None
            assert (schema.encoding, channel.message_encoding) == ("jsonschema", "json")
            told = json.loads(message.data)
            assert set(json.loads(schema.data)["required"]) <= set(told)
            assert message.log_time == BEGAN_NS + round(told["time_s"] * 1e9)
            for each in told["sitters"]:
                planes = np.frombuffer(base64.b64decode(each["markers"]), np.uint8)
                values = planes.reshape(4, 1434).T.copy().view("<f4").reshape(3, 478)
                found.append(values.T.tobytes())
    assert found == [s.markers.tobytes() for m in MOMENTS for s in m.sitters]


def test_every_message_has_what_its_schema_requires(evening: Path) -> None:
    with open(evening, "rb") as file:
        for schema, _, message in make_reader(file).iter_messages():
            assert schema is not None
            told, wanted = json.loads(message.data), json.loads(schema.data)
            assert set(wanted["required"]) <= set(told) <= set(wanted["properties"])


def test_the_index_lets_other_programs_seek(evening: Path) -> None:
    with open(evening, "rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None and summary.statistics is not None
    assert summary.statistics.message_count == len(MOMENTS) + 6 + 2
    assert len(summary.chunk_indexes) > 6 * 3  # more than three chunks a second


def test_the_same_session_is_written_as_the_same_bytes(tmp_path: Path) -> None:
    one, other = (write(tmp_path / name, MOMENTS[:60]) for name in ("a.mcap", "b.mcap"))
    assert one.read_bytes() == other.read_bytes()


def test_nobody_else_may_read_a_recording(evening: Path) -> None:
    assert evening.stat().st_mode & 0o077 == 0


def test_csv_brings_back_every_marker(evening: Path, tmp_path: Path) -> None:
    count = export(open_session(evening), tmp_path / "evening.csv")
    with open(tmp_path / "evening.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    sitters = [(m.time_s, s) for m in MOMENTS for s in m.sitters]
    assert count == len(rows) == len(sitters)
    for row, (time_s, one) in list(zip(rows, sitters))[::40]:
        assert (float(row["time_s"]), int(row["id"])) == (time_s, one.id)
        found = np.array([[row[f"{a}{m}"] for a in "xyz"] for m in range(478)], np.float32)
        assert found.tobytes() == one.markers.tobytes()


def test_npz_brings_back_every_marker(evening: Path, tmp_path: Path) -> None:
    export(open_session(evening), tmp_path / "evening.npz")
    sitters = [(m.time_s, s) for m in MOMENTS for s in m.sitters]
    with np.load(tmp_path / "evening.npz", allow_pickle=False) as found:
        assert found["time_s"].tolist() == [time_s for time_s, _ in sitters]
        assert found["motion"].tolist() == [one.motion for _, one in sitters]
        assert found["markers"].tobytes() == b"".join(one.markers.tobytes() for _, one in sitters)


def test_a_film_of_the_markers_has_every_moment(tmp_path: Path) -> None:
    path = write(tmp_path / "evening.mcap", list(synthesise(8.0, 1, rate_hz=5.0)))
    assert film(open_session(path), tmp_path / "evening.mp4") == 40
    assert (tmp_path / "evening.mp4").stat().st_size > 3_000


@pytest.mark.parametrize("name", ["taken.csv", "taken.npz", "table.xls"])
def test_an_export_overwrites_nothing_and_knows_its_kinds(
    evening: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "taken.csv").write_text("mine")
    (tmp_path / "taken.npz").write_text("mine")
    with pytest.raises(SessionError, match=name):
        export(open_session(evening), tmp_path / name)
    assert (tmp_path / "taken.csv").read_text() == (tmp_path / "taken.npz").read_text() == "mine"


def test_pictures_come_back_and_mark_the_file(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], np.uint8(90)), axis=-1)
    frame = Frame(np.ascontiguousarray(picture), 5, 0.5)
    with Tape(tmp_path / "p.mcap", replace(HEADER, pictures=True)) as tape:
        tape.add(5, BEGAN_NS, BEGAN_NS, encode_picture(as_jpeg(frame), 5, 0.5, BEGAN_NS), 1)
    session = open_session(tmp_path / "p.mcap")
    assert session.header.pictures
    (found,) = session.pictures()
    assert (found.number, found.time_s) == (5, 0.5)
    assert np.abs(found.picture.astype(int) - picture).max() < 12
    with open(tmp_path / "p.mcap", "rb") as file:
        (metadata,) = make_reader(file).iter_metadata()
    assert metadata.metadata["pictures"] == "yes"


def test_a_session_of_markers_has_no_room_for_pictures(evening: Path) -> None:
    with open(evening, "rb") as file:
        reader = make_reader(file)
        summary, (metadata,) = reader.get_summary(), reader.iter_metadata()
    assert summary is not None
    topics = {channel.topic for channel in summary.channels.values()}
    assert topics == {"/session", "/sitters", "/fault", "/river"}
    assert metadata.metadata["pictures"] == "no"


def test_a_jpeg_that_claims_to_be_huge_is_not_decoded() -> None:
    jpeg = bytearray(as_jpeg(Frame(np.zeros((16, 16, 3), np.uint8), 0, 0.0)))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(SessionError, match="65535x65535"):
        from_jpeg(bytes(jpeg))


def test_an_empty_room_is_a_session_too(tmp_path: Path) -> None:
    nobody = [Sitters(step / 30) for step in range(90)]
    path = write(tmp_path / "empty.mcap", nobody)
    assert survey(path).is_intact
    assert [bits(s) for s in open_session(path).sitters()] == [bits(s) for s in nobody]
    assert export(open_session(path), tmp_path / "empty.npz") == 0
    assert list(open_session(path).events()) == []


def test_events_count_from_the_start_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mcap", [Sitters(9.0, (), (4,))], replace(HEADER, start_s=8.0))
    assert list(open_session(path).events()) == [Event("arrived", 1.0, 4)]


def test_a_sitter_has_the_types_of_the_live_one(evening: Path) -> None:
    one = next(s for m in open_session(evening).sitters() for s in m.sitters)
    assert isinstance(one, Sitter)
    assert [type(v) for v in (one.id, one.aspect, one.presence, one.motion)] == [int] + [float] * 3
    assert one.markers.dtype == np.float32 and one.markers.flags.c_contiguous
