"""Metrics for Prometheus: signs come in, its text format goes out. Any thread.

``docs/status.md`` names every metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from mirror.status.health import AILING, FAILED, OK
from mirror.status.signs import Signs

#: What a camera may do, in a word.
CAMERA = ("opening", "running", "blocked", "frozen", "failed", "gone", "ended", "paused",
          "session", "nobody")  # fmt: skip


def text(signs: Signs) -> bytes:
    """All metrics in the text format 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Told(signs))
    return generate_latest(registry)


class _Told(Collector):
    """What prometheus-client asks for metrics."""

    def __init__(self, signs: Signs) -> None:
        self._signs = signs

    def collect(self) -> Iterator[Metric]:
        """Every metric, one after another."""
        yield from _plain(self._signs)
        yield from _counted(self._signs)
        yield _timings(self._signs)
        yield _one_of("mirror_state", "How well the show is", (OK, AILING, FAILED),
                      self._signs.health.state)  # fmt: skip
        yield _one_of("mirror_camera", "What the camera does", CAMERA, self._signs.vitals.camera)
        yield from _facts(self._signs)


def _plain(signs: Signs) -> Iterator[Metric]:
    vitals = signs.vitals
    gauges: dict[str, tuple[str, float]] = {
        "mirror_picture_age_seconds": ("Since the newest picture", signs.picture_age_s),
        "mirror_pictures_per_second": ("Over the last two seconds", vitals.fps),
        "mirror_uptime_seconds": ("Since the show began", vitals.uptime_s),
        "mirror_sitters": ("Visitors present now", vitals.sitters),
        "mirror_painting": ("Whether the painter lives", vitals.painting),
        "mirror_resident_bytes": ("Memory of the process", vitals.rss_mb * 1e6),
        "mirror_ladder": ("Rungs that the load was taken down", vitals.ladder),
    }
    if vitals.gpu_mb is not None:
        gauges["mirror_gpu_bytes"] = ("Memory of the GPU", vitals.gpu_mb * 1e6)
    for name, (about, value) in gauges.items():
        yield GaugeMetricFamily(name, about, value=float(value))


def _counted(signs: Signs) -> Iterator[Metric]:
    vitals = signs.vitals
    counters = {
        "mirror_pictures": ("Pictures presented", vitals.pictures),
        "mirror_paintings": ("Textures painted", vitals.painted),
        "mirror_visits": ("Visits since the start", vitals.visits),
        "mirror_restarts": ("Starts by the supervisor", vitals.restarts),
        "mirror_screen_faults": ("Times the screen was built again", vitals.screen_faults),
    }
    for name, (about, value) in counters.items():
        yield CounterMetricFamily(name, about, value=float(value))
    labelled: dict[str, tuple[str, str, Mapping[str, int]]] = {
        "mirror_camera_faults": ("Faults of the camera", "kind", vitals.camera_faults),
        "mirror_painting_faults": ("Faults of models", "school", vitals.painting_faults),
        "mirror_log_lines": ("Lines logged", "level", signs.log),
        "mirror_osc": ("Packets and messages of show control", "outcome", signs.osc),
    }
    for name, (about, label, counts) in labelled.items():
        family = CounterMetricFamily(name, about, labels=[label])
        for key, count in sorted(counts.items()):
            family.add_metric([key], float(count))
        yield family


def _timings(signs: Signs) -> Metric:
    family = SummaryMetricFamily("mirror_stage_seconds", "Time of each stage", labels=["stage"])
    for stage, quantiles in signs.timings.items():
        for name, ms in quantiles.items():
            if ms is not None:
                labels = {"stage": stage, "quantile": f"0.{name[1:]}"}
                family.add_sample("mirror_stage_seconds", labels, ms / 1000)
    return family


def _one_of(name: str, about: str, states: tuple[str, ...], now: str) -> Metric:
    """One gauge a state: 1 for the one that holds."""
    family = GaugeMetricFamily(name, about, labels=["state"])
    for state in states if now in states else (*states, now):
        family.add_metric([state], float(state == now))
    return family


def _facts(signs: Signs) -> Iterator[Metric]:
    vitals = signs.vitals
    facts = {"version": vitals.version, "renderer": vitals.renderer, "piece": vitals.piece}
    yield InfoMetricFamily("mirror", "What runs", value={**facts, "opening": vitals.opening})
    weights = GaugeMetricFamily("mirror_weights", "Models, by sha256", labels=["school", "sha256"])
    for school, sha256 in vitals.weights.items():
        weights.add_metric([school, sha256], 1.0)
    yield weights
    today = GaugeMetricFamily("mirror_visits_day", "Visits a day, the last 14", labels=["day"])
    for day, count in list(signs.visits.items())[-14:]:
        today.add_metric([day], float(count))
    yield today
