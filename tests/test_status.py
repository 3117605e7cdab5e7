"""How the show is, judged, followed, told and served."""

from __future__ import annotations

import dataclasses
import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import h11
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from requests_that_are_bad import hurl
from test_osc import until
from test_privacy import Parsed

from mirror.control.conductor import Standing
from mirror.settings import StatusSettings
from mirror.status import metrics
from mirror.status.health import judge
from mirror.status.page import lasting, page
from mirror.status.server import (
    MOST_CONNECTIONS,
    Guarded,
    Rate,
    StatusServer,
    is_here,
    is_our_fault,
    names_of,
)
from mirror.status.signs import Gatherer, Peephole, Signs
from mirror.status.tally import Tally
from mirror.status.vitals import Pulse, Vitals

WELL = Vitals(
    pictures=900, at_s=100.0, uptime_s=90.0, fps=30.0, camera="running", piece="river",
    renderer="a <driver>", weights={"panel": "ab" * 32}, camera_faults={"blocked_read": 2},
    stage_ms={"river": 0.4}, visits=12, painted=50, rss_mb=600.0, last_error="warning: <b>",
)  # fmt: skip

JUDGED: dict[str, tuple[dict[str, Any], float, str, str]] = {
    "well": ({}, 0.0, "ok", ""),
    "just begun": ({"pictures": 0, "at_s": 0.0}, 0.0, "failed", "no picture yet"),
    "frozen": ({"at_s": 90.0}, 0.0, "failed", "no new picture for 11 s"),
    "slow": ({"fps": 3.0}, 0.0, "ailing", "3.0 pictures a second"),
    "slow on purpose": ({"fps": 3.0, "resting": True, "opening": "closed"}, 0.0, "ok", ""),
    "the painter is dead": ({"painting": False}, 0.0, "failed", "nothing is painted"),
    "the camera is away": ({"camera": "gone"}, 20.0, "ailing", "camera gone for 20 s"),
    "for long": ({"camera": "blocked"}, 400.0, "failed", "camera blocked for 400 s"),
    "the load": ({"ladder": 2}, 0.0, "ailing", "load taken down by 2"),
}


@pytest.mark.parametrize("what", JUDGED)
def test_health_follows_the_vital_signs(what: str) -> None:
    changes, away_s, state, reason = JUDGED[what]
    health = judge(dataclasses.replace(WELL, **changes), 101.0, 0.0, away_s)
    assert (health.state, "; ".join(health.reasons)) == (state, reason)
    assert health.http == (503 if state == "failed" else 200)


def test_a_show_that_starts_ails_for_a_minute() -> None:
    assert judge(Vitals(), 30.0, 0.0, 0.0).state == "ailing"
    assert judge(Vitals(), 61.0, 0.0, 0.0).state == "failed"


# What is followed


def test_visits_are_counted_by_day_and_kept(tmp_path: Path) -> None:
    pulse, path = Pulse(visits=4), tmp_path / "visits.json"
    tally = Tally(lambda: pulse.newest, str(path), look_s=0.01)
    pulse.beat(visits=7)
    until(lambda: sum(tally.visits.values()) == 3)
    pulse.beat(visits=9)
    tally.close()
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert list(kept.values()) == [5]
    assert all(len(day) == 10 for day in kept)
    again = Tally(lambda: pulse.newest, str(path), look_s=0.01)
    again.close()
    assert again.visits == kept


@pytest.mark.parametrize("content", ["{", "[1, 2]", '{"2026-01-01": "many"}', "\xff"])
def test_a_file_that_is_none_of_ours_is_left_as_it_is(content: str, tmp_path: Path) -> None:
    path = tmp_path / "visits.json"
    path.write_text(content, encoding="latin-1")
    pulse = Pulse()
    tally = Tally(lambda: pulse.newest, str(path), look_s=0.01)
    pulse.beat(visits=2)
    until(lambda: sum(tally.visits.values()) == 2)
    tally.close()
    assert path.read_text(encoding="latin-1") == content


def test_a_camera_is_away_since_it_was_last_there() -> None:
    pulse = Pulse(camera="running")
    tally = Tally(lambda: pulse.newest, "", look_s=0.01)
    pulse.beat(camera="gone")
    until(lambda: tally.camera_away_s > 0.05)
    pulse.beat(camera="blocked")
    time.sleep(0.05)
    assert tally.camera_away_s > 0.05
    pulse.beat(camera="running")
    until(lambda: tally.camera_away_s == 0.0)
    tally.close()


# What is told


def signs(vitals: Vitals = WELL) -> Signs:
    timings: dict[str, dict[str, float | None]] = {
        "river": {"p50": 0.4, "p95": 1.0}, "camera": {"p50": None, "p95": None},
    }  # fmt: skip
    return Signs(
        vitals, judge(vitals, 101.0, 0.0, 0.0), 1.0, timings, {"2026-03-01": 310, "2026-03-02": 5},
        Standing("river", 3, 139.0, black=True).told(), {"warning": 4}, {"malformed": 9},
    )  # fmt: skip


def test_prometheus_reads_the_metrics() -> None:
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(metrics.text(signs()).decode()):
        for sample in family.samples:
            found[sample.name, ",".join(sample.labels.values())] = sample.value
    assert found["mirror_pictures_total", ""] == 900
    assert found["mirror_state", "ok"] == 1
    assert found["mirror_state", "failed"] == 0
    assert found["mirror_camera", "running"] == 1
    assert found["mirror_camera_faults_total", "blocked_read"] == 2
    assert found["mirror_stage_seconds", "0.95,river"] == pytest.approx(0.001)
    assert found["mirror_visits_day", "2026-03-01"] == 310
    assert found["mirror_weights", "panel," + "ab" * 32] == 1
    assert found["mirror_osc_total", "malformed"] == 9
    assert not any("camera" in labels for name, labels in found if name == "mirror_stage_seconds")


def test_every_metric_is_documented(root: Path) -> None:
    told = (root / "docs" / "status.md").read_text(encoding="utf-8")
    for family in text_string_to_metric_families(metrics.text(signs()).decode()):
        assert f"`{family.name}" in told, family.name


def test_the_page_is_whole_and_escaped_and_needs_nothing_from_elsewhere() -> None:
    written = page(signs(), True)
    parsed = Parsed(written)
    assert parsed.open == []
    assert set(parsed.loads) == {"/style.css", "/page.js", "/picture.jpg"}
    assert "style=" not in written  # the page's own policy would refuse it
    assert "a &lt;driver&gt;" in written
    assert "warning: &lt;b&gt;" in written
    assert "All is well" in written
    assert "black on" in written
    assert ">310<" in written
    assert "<img" not in page(signs(), False)
    assert Parsed(page(Signs(Vitals(), judge(Vitals(), 0.0, 0.0, 0.0), 0.0), True)).open == []


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59.9, "59 s"), (3725, "1 h 2 min"), (190_000, "2 d 4 h")]
)
def test_a_duration_is_told_in_two_units(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost:7780", True), ("127.0.0.1:7780", True), ("[::1]:7780", True),
     ("192.168.0.7", True), ("kiosk.local", True), ("evil.example", False), ("", False),
     ("localhost.evil.example:7780", False), ("127.0.0.1.evil.example", False)],
)  # fmt: skip
def test_only_names_of_this_computer_are_answered(host: str, here: bool) -> None:
    assert is_here(host, names_of("kiosk.local")) == here


# What is served

PICTURE = np.zeros((90, 160, 3), np.uint8)
PICTURE[:45, :, 0] = 200


@pytest.fixture
def pulse() -> Iterator[Pulse]:
    """A heart that beats as a show's does."""
    pulse, ending = Pulse(piece="river", camera="running"), threading.Event()
    pulse.beat()

    def beat() -> None:
        while not ending.wait(0.02):
            pulse.beat()

    thread = threading.Thread(target=beat)
    thread.start()
    yield pulse
    ending.set()
    thread.join()


def serve(pulse: Pulse, **settings: Any) -> tuple[StatusServer, Tally]:
    tally = Tally(lambda: pulse.newest, "")
    gatherer = Gatherer(lambda: pulse.newest, tally, {"log": dict})
    peephole = Peephole(pulse, lambda: PICTURE)
    return StatusServer(
        StatusSettings(on=True, **{"port": 0, **settings}), gatherer, peephole
    ), tally


@pytest.fixture
def server(pulse: Pulse) -> Iterator[StatusServer]:
    server, tally = serve(pulse)
    until(lambda: server.port is not None)
    yield server
    server.close()
    tally.close()


def ask(
    server: StatusServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    assert server.port is not None
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def answers(server: StatusServer) -> bool:
    """Whether it is well; False while it has too much to do."""
    try:
        return ask(server, "/health")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def test_every_page_is_served_with_its_policy(server: StatusServer) -> None:
    kinds = {
        "/": "text/html; charset=utf-8", "/style.css": "text/css; charset=utf-8",
        "/page.js": "text/javascript; charset=utf-8", "/health": "application/json",
        "/status.json": "application/json", "/picture.jpg": "image/jpeg",
        "/metrics": "text/plain; version=0.0.4; charset=utf-8",
    }  # fmt: skip
    for path, kind in kinds.items():
        status, headers, body = ask(server, path)
        assert (status, headers["content-type"]) == (200, kind), path
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert body
    until(lambda: json.loads(ask(server, "/health")[2])["state"] == "ok")
    assert json.loads(ask(server, "/status.json")[2])["vitals"]["piece"] == "river"


def test_the_picture_is_the_one_on_the_screen(server: StatusServer) -> None:
    stored = np.frombuffer(ask(server, "/picture.jpg")[2], np.uint8)
    shown = cv2.imdecode(stored, cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(shown.astype(int) - PICTURE).mean() < 4


def test_nothing_can_be_changed_or_read_beside_the_pages(server: StatusServer) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert ask(server, "/", method)[0] == 405, method
    for path in ("/admin", "/../../etc/passwd", "/%2e%2e/setup.cfg", "/picture.jpg/x", "//"):
        assert ask(server, path)[0] == 404, path
    status, headers, body = ask(server, "/", Host="evil.example")
    assert (status, body) == (421, b"not the name of this computer\n")
    assert headers["x-frame-options"] == "DENY"


def test_a_show_that_stands_still_is_told(pulse: Pulse, server: StatusServer) -> None:
    pulse.note(painting=False)
    until(lambda: ask(server, "/health")[0] == 503)
    assert "nothing is painted" in json.loads(ask(server, "/health")[2])["reasons"]
    assert b"Needs help" in ask(server, "/")[2]


def test_without_a_picture_there_is_none(pulse: Pulse) -> None:
    server, tally = serve(pulse, picture=False)
    until(lambda: server.port is not None)
    assert ask(server, "/picture.jpg")[0] == 404
    assert b"<img" not in ask(server, "/")[2]
    server.close()
    tally.close()


def test_those_who_say_nothing_do_not_keep_others_out_for_ever(
    server: StatusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirror.status.server.CONNECTION_S", 0.5)
    assert server.port is not None
    silent = []
    for _ in range(2 * MOST_CONNECTIONS):
        silent.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        silent[-1].sendall(b"GET / HT")

    until(lambda: answers(server), 60)
    for each in silent:
        each.close()


def test_ten_thousand_malformed_requests_do_nothing(
    pulse: Pulse,
    server: StatusServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Guarded, "rate", Rate(10**9))  # as fast as it can
    assert server.port is not None
    files, beats = len(list(Path("/proc/self/fd").iterdir())), pulse.newest.pictures
    hurl(server.port, 10_000)
    until(lambda: answers(server), 60)
    until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= files + 5, 60)
    assert pulse.newest.pictures > beats
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []


def test_only_the_servers_own_failures_reach_the_log() -> None:
    def told(error: Exception) -> bool:
        where = type(error), error, None
        return is_our_fault(logging.LogRecord("uvicorn.error", 40, "", 0, "Exception", (), where))

    assert not told(h11.LocalProtocolError("can't handle event type Response"))
    assert told(ValueError("a fault of ours"))
    assert is_our_fault(logging.LogRecord("uvicorn.error", 40, "", 0, "a line", (), None))


def test_what_comes_too_fast_waits() -> None:
    rate = Rate(3)
    assert [rate.over(now_s) for now_s in (5.0, 5.1, 5.2, 5.3, 5.9)] == [False] * 3 + [True] * 2
    assert not rate.over(6.05)


def test_a_port_that_is_taken_is_told_in_one_line(
    pulse: Pulse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirror.status.server.RETRY_S", 0.05)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        server, tally = serve(pulse, port=taken)
        until(lambda: caplog.records)
        time.sleep(0.3)
        assert server.port is None
    until(lambda: server.port == taken)  # and when it is free again, it is taken
    assert ask(server, "/health")[0] == 200
    server.close()
    tally.close()
    warned = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert warned == [
        f"status: 127.0.0.1:{taken} cannot be served (Address already in use); tried again"
    ]
