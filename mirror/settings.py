"""Settings: defaults in frozen dataclasses, then the site file, then flags; later beats earlier.

Each dataclass below is one table of the site file, ``calibration/<site>.toml``. A key or a table
that is not named here, and a value outside its range, is a ``SettingsError`` that names the
place, what was found and what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

#: A number that was measured, or None as long as nobody has. (Not ``float | None``: these types
#: are looked up while the program runs, and Python 3.9 cannot read that.)
Measured = Optional[float]

#: Places on a screen: shares of its width and height, from the top left corner, y down.
Points = tuple[tuple[float, float], ...]

#: The corners of a screen that needs no keystone, from the top left clockwise.
STRAIGHT: Points = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))

#: The version of what a site file holds. It grows when a key gets another meaning.
SCHEMA = 1


def plain(default: Any, about: str) -> Any:
    """A dataclass field of text, or true or false."""
    return field(default=default, metadata={"about": about})


def ranged(default: float, low: float, high: float, about: str) -> Any:
    """A dataclass field with the range that the loader holds it to."""
    return field(default=default, metadata={"low": low, "high": high, "about": about})


def choice(default: Any, *allowed: Any, about: str) -> Any:
    """A dataclass field that takes one of the named values."""
    return field(default=default, metadata={"allowed": allowed, "about": about})


def places(default: Points, numbers: tuple[int, ...], about: str) -> Any:
    """A dataclass field of places on the screen or a little beyond it, so many as named."""
    facts = {"low": -1.0, "high": 2.0, "numbers": numbers, "about": about}
    return field(default=default, metadata=facts)


def measured(low: float, high: float, about: str) -> Any:
    """A dataclass field that holds what was measured: None, or a number in its range."""
    return field(default=None, metadata={"low": low, "high": high, "about": about})


@dataclass(frozen=True)
class SiteSettings:
    """[site]"""

    schema: int = ranged(SCHEMA, 1, 1000, "version of this file's keys")
    written: str = plain("", "when the calibration wrote this file; empty: by hand")
    operator: str = plain("", "who calibrated")


@dataclass(frozen=True)
class CameraSettings:
    """[camera]"""

    source: str = plain(
        "", "index, /dev/v4l/by-id/..., URL or file; empty: camera 0, else the bundled session"
    )
    identity: str = plain("", "what the camera is; another one at its place is not used")
    mirror: bool = plain(True, "swap left and right, as a mirror does")
    width_px: int = ranged(1280, 160, 7680, "asked of the device")
    height_px: int = ranged(720, 120, 4320, "asked of the device")
    rate_hz: float = ranged(30.0, 1.0, 240.0, "asked of the device")
    format: str = choice(
        "MJPG", "MJPG", "YUYV", "NV12", "GREY", "auto", about="asked of the device; auto: its own"
    )
    exposure_ms: float = ranged(0.0, 0.0, 1000.0, "time a picture is exposed; 0: the camera's own")
    gain: float = ranged(-1.0, -1.0, 65535.0, "in the device's own unit; -1: the camera's own")
    white_balance_k: float = ranged(0.0, 0.0, 20_000.0, "colour of the light; 0: the camera's own")
    focus: float = ranged(-1.0, -1.0, 65535.0, "in the device's own unit; -1: the camera's own")
    read_timeout_s: float = ranged(3.0, 0.2, 60.0, "a read that takes longer counts as blocked")
    frozen_after_s: float = ranged(2.0, 0.2, 600.0, "the same picture for longer is frozen")
    reopen_first_s: float = ranged(0.5, 0.05, 60.0, "first pause before the camera is reopened")
    reopen_most_s: float = ranged(4.0, 0.1, 600.0, "longest pause before the camera is reopened")


@dataclass(frozen=True)
class MarkerSettings:
    """[markers]"""

    sitters: int = ranged(4, 1, 4, "most sitters at once")
    arrive_s: float = ranged(0.3, 0.0, 10.0, "a face must be seen for so long to arrive")
    leave_s: float = ranged(0.8, 0.2, 30.0, "a face may be lost for so long before it has left")
    confidence: float = ranged(0.5, 0.05, 1.0, "least confidence of the face detector")
    min_cutoff_hz: float = ranged(1.0, 0.01, 60.0, "One Euro filter: cutoff at rest")
    beta: float = ranged(10.0, 0.0, 1000.0, "One Euro filter: how much speed opens it")
    derivative_cutoff_hz: float = ranged(4.0, 0.01, 60.0, "One Euro filter: cutoff of the speed")


@dataclass(frozen=True)
class RiverSettings:
    """[river]"""

    parcels: int = ranged(96, 6, 100_000, "parcels in all six streams")
    fade_half_life_s: float = ranged(139.0, 0.1, 1e6, "latent and dye go to the source")
    calm_half_life_s: float = ranged(3.0, 0.05, 1e4, "turbulence decays")
    inject_half_life_s: float = ranged(1.2, 0.05, 1e4, "parcels near a visitor go to the visitor")
    spill_half_life_s: float = ranged(900.0, 0.1, 1e6, "neighbours exchange, in calm water")
    spill_stirred_half_life_s: float = ranged(6.0, 0.1, 1e6, "the same, in the wildest water")
    loop_s: float = ranged(150.0, 5.0, 1e6, "from source to mouth")
    source_half_life_s: float = ranged(60.0, 0.5, 1e6, "the source forgets where it was")
    source_refresh_s: float = ranged(12.0, 0.01, 1e4, "each parcel's source moves so often")
    hold: float = ranged(0.95, 0.0, 0.99, "share of a portrait that is the visitor beside it")
    gift: float = ranged(0.6, 0.0, 0.99, "share of visitors in what drifts out of their reach")
    near_reach: float = ranged(0.3, 0.01, 10.0, "reach of a visitor who counts in full")
    arrival_stir: float = ranged(2.5, 0.0, 100.0, "an arrival halves calmness so often")
    motion_stir: float = ranged(0.6, 0.0, 100.0, "halvings of calmness a face height moved")
    visit_slots: int = ranged(32, 2, 4096, "visits told apart in the dye")
    step_hz: float = ranged(30.0, 1.0, 1000.0, "fixed time step")


@dataclass(frozen=True)
class FaceSettings:
    """[faces]"""

    weights: str = plain("", "folder of the models; empty: the one that comes with the program")
    device: str = choice("auto", "auto", "cpu", "cuda", about="where torch paints")
    cross_fade_s: float = ranged(1.0, 0.0, 60.0, "one painting gives way to the next")
    accent: float = ranged(0.35, 0.0, 1.0, "how much a school bends a sitter's proportions")
    emphasis: float = ranged(0.6, 0.0, 1.0, "how much louder than in life it says them")


@dataclass(frozen=True)
class ScreenSettings:
    """[screen]"""

    kind: str = choice("auto", "auto", "window", "offscreen", about="where the picture goes")
    width_px: int = ranged(1280, 16, 16384, "window or offscreen picture")
    height_px: int = ranged(720, 16, 16384, "window or offscreen picture")
    rate_hz: float = ranged(30.0, 1.0, 240.0, "pictures a second aimed at")
    full_screen: bool = plain(False, "the window covers the whole monitor, or monitors")
    monitor: str = plain(
        "", "its name, as `calibrate screen --list` tells it; empty: the first; or A + B; or all"
    )
    turn_deg: int = choice(
        0, 0, 90, 180, 270, about="the picture is turned clockwise on the screen"
    )
    keystone: tuple[tuple[float, float], ...] = places(
        STRAIGHT, (4,), "where its corners lie, from the top left clockwise; shares of the screen"
    )
    mask: tuple[tuple[float, float], ...] = places(
        (), (0, *range(3, 65)), "light only inside; empty: everywhere"
    )
    awake: bool = plain(True, "the display does not sleep while the window is open (X11)")
    brightness: float = ranged(1.0, 0.0, 4.0, "of the finished picture")
    trail_half_life_s: float = ranged(6.0, 0.1, 600.0, "what sank into the water fades")
    ripple: float = ranged(1.0, 0.0, 10.0, "how much moving water bends what is seen through it")
    grain: float = ranged(1.0, 0.0, 4.0, "of the finished picture")
    varnish: float = ranged(1.0, 0.0, 4.0, "weave of the canvas and fine cracks")


@dataclass(frozen=True)
class MirrorSettings:
    """[mirror]: where on the screen a sitter appears, and who stands in front of it."""

    far_height: float = ranged(0.07, 0.0, 1.0, "a face this high, in pictures, counts for nothing")
    near_height: float = ranged(0.16, 0.01, 1.0, "a face this high counts in full")
    beside: float = ranged(0.5, 0.0, 10.0, "who is so far beside counts less; screen widths")
    camera_x: float = ranged(0.5, -20.0, 20.0, "where the camera is, in screen widths")
    camera_y: float = ranged(0.5, -20.0, 20.0, "where the camera is, in screen heights")
    reach_x: float = ranged(0.0, -10.0, 10.0, "a face height to the side; 0: as the camera sees it")
    reach_y: float = ranged(0.0, -10.0, 10.0, "a face height down; 0: as the camera sees it")
    turn_x: float = ranged(0.0, -10.0, 10.0, "how far the camera is turned aside")
    turn_y: float = ranged(0.0, -10.0, 10.0, "how far the camera is tilted")


@dataclass(frozen=True)
class RecordSettings:
    """[record]"""

    folder: str = plain("", "where recordings are kept; empty: none are looked after")
    keep_days: float = ranged(30.0, 0.0, 3660.0, "older ones there are deleted; 0: never")
    quota_mb: float = ranged(0.0, 0.0, 1e7, "most that all recordings may take; 0: no quota")
    oldest_goes: bool = plain(False, "at the quota the oldest goes; else recording stops")
    rotate_s: float = ranged(3600.0, 10.0, 1e6, "a recording goes on in a new file after so long")
    rotate_mb: float = ranged(512.0, 1.0, 1e5, "or at this size")
    spare_mb: float = ranged(64.0, 1.0, 1e6, "what must stay free on the disk")


@dataclass(frozen=True)
class MeasuredSettings:
    """[measured]: what the calibration found. Nothing here changes how the piece runs."""

    camera_at: str = plain("", "when the camera was measured; empty: not yet")
    camera_width_px: Measured = measured(1, 65536, "of the pictures that came")
    camera_height_px: Measured = measured(1, 65536, "of the pictures that came")
    camera_rate_hz: Measured = measured(0, 1e4, "pictures that came a second")
    camera_jitter_ms: Measured = measured(0, 1e6, "standard deviation of their distances in time")
    camera_flicker_hz: Measured = measured(0, 1e4, "of the light; 0: none was seen")
    camera_flicker_share: Measured = measured(0, 10, "its amplitude, as a share of the brightness")
    camera_refused: str = plain("", "settings that the camera did not take")
    light_at: str = plain("", "when the light was measured; empty: not yet")
    light_near_px: Measured = measured(0, 65536, "height of a face at the near mark")
    light_far_px: Measured = measured(0, 65536, "height of a face at the far mark")
    light_brightness: Measured = measured(0, 255, "median of the face")
    light_contrast: Measured = measured(0, 255, "spread of the face, 5 % to 95 %")
    light_side: Measured = measured(-1, 1, "left (-) or right (+) half of the face is lit more")
    light_found: Measured = measured(0, 1, "share of pictures in which the face was found")
    light_jitter: Measured = measured(0, 1, "of a still marker, in face heights, unfiltered")
    latency_at: str = plain("", "when the latency was measured; empty: not yet")
    latency_p50_ms: Measured = measured(0, 1e5, "from glass to glass, half of the time less")
    latency_p95_ms: Measured = measured(0, 1e5, "the same, 95 % of the time less")
    screen_at: str = plain("", "when the screen was measured; empty: not yet")
    screen_keystone_px: Measured = measured(0, 1e4, "corners against where they should be")
    screen_lens_px: Measured = measured(0, 1e4, "what the lens model leaves unexplained")
    mirror_at: str = plain("", "when the mirror was measured; empty: not yet")
    mirror_right: Measured = measured(0, 1, "share of movements shown in the right direction")
    mirror_place: Measured = measured(0, 10, "a sitter's place against the mark, screen widths")


@dataclass(frozen=True)
class LoadSettings:
    """[load]"""

    least_hz: float = ranged(
        10.0, 0.0, 240.0, "with fewer pictures a second less is drawn; 0: never"
    )


@dataclass(frozen=True)
class HoursSettings:
    """[hours]"""

    open: str = plain("", "opening hours: Tu-Su 10:00-18:00; Th 10:00-21:00; empty: always")
    closing: str = choice("dark", "dark", "passersby", about="what is shown while it is closed")


@dataclass(frozen=True)
class WatchSettings:
    """[watch]"""

    state: str = plain("", "file that the river is saved in; empty: in the user's state folder")
    standby: bool = plain(True, "a process waits in the wings, so that restarts take no time")
    freeze_s: float = ranged(1.5, 0.5, 600.0, "no new picture for longer is a freeze")
    start_s: float = ranged(30.0, 2.0, 600.0, "the first picture may take so long")
    slow_hz: float = ranged(3.0, 0.0, 60.0, "fewer pictures a second are too slow; 0: never")
    slow_s: float = ranged(120.0, 1.0, 1e5, "when too slow for so long, the show starts again")
    camera_s: float = ranged(300.0, 5.0, 1e5, "when the camera is silent for so long, the same")
    painting_s: float = ranged(60.0, 5.0, 1e5, "when nothing is painted for so long, the same")
    memory_mb: float = ranged(4000.0, 100.0, 1e6, "most memory that the show may hold")
    gpu_mb: float = ranged(0.0, 0.0, 1e6, "most memory of the GPU, where it is told; 0: no ceiling")
    patience_s: float = ranged(900.0, 0.0, 1e5, "a planned restart waits so long for an empty room")


@dataclass(frozen=True)
class OscSettings:
    """[osc]"""

    on: bool = plain(False, "show control by OSC, over UDP")
    address: str = plain("127.0.0.1", "listened to; 0.0.0.0: every network of this computer")
    port: int = ranged(7700, 0, 65535, "UDP; 0: any free one")
    reply_port: int = ranged(0, 0, 65535, "where answers go; 0: to the port that asked")
    heed: str = plain("", "addresses that are heeded, commas between; empty: all")


@dataclass(frozen=True)
class StatusSettings:
    """[status]"""

    on: bool = plain(False, "a page that tells how the show is, with /health and /metrics")
    address: str = plain("127.0.0.1", "served on; 0.0.0.0: every network of this computer")
    port: int = ranged(7780, 0, 65535, "TCP; 0: any free one")
    picture: bool = plain(True, "the page shows the picture on the screen; never the camera's")
    picture_width_px: int = ranged(640, 64, 1920, "of that picture")
    visits: str = plain("", "file that keeps how many visits a day; empty: none")


@dataclass(frozen=True)
class LogSettings:
    """[log]"""

    folder: str = plain("", "where mirror.log is kept, JSON lines; empty: no log on disk")
    file_mb: float = ranged(5.0, 0.01, 1000.0, "a log goes on in a new file at this size")
    files: int = ranged(5, 1, 1000, "so many are kept; the oldest goes")
    repeat_s: float = ranged(600.0, 1.0, 86400.0, "the same line again is counted, told so often")


@dataclass(frozen=True)
class PrivacySettings:
    """[privacy]"""

    operator: str = plain("", "who is responsible, for the notice on the wall")
    contact: str = plain("", "where visitors can ask: an address, telephone or e-mail")
    more_url: str = plain("", "a page with more about it; the notice shows it as a QR code")


@dataclass(frozen=True)
class Settings:
    """All tables, and what belongs to none of them."""

    site: SiteSettings = SiteSettings()
    camera: CameraSettings = CameraSettings()
    markers: MarkerSettings = MarkerSettings()
    river: RiverSettings = RiverSettings()
    faces: FaceSettings = FaceSettings()
    screen: ScreenSettings = ScreenSettings()
    mirror: MirrorSettings = MirrorSettings()
    record: RecordSettings = RecordSettings()
    measured: MeasuredSettings = MeasuredSettings()
    load: LoadSettings = LoadSettings()
    hours: HoursSettings = HoursSettings()
    watch: WatchSettings = WatchSettings()
    osc: OscSettings = OscSettings()
    status: StatusSettings = StatusSettings()
    log: LogSettings = LogSettings()
    privacy: PrivacySettings = PrivacySettings()
    piece: str = choice("river", "river", "uncanny", "passersby", about="which piece is shown")
    seed: int = ranged(0, 0, 2**31 - 1, "of everything that is drawn by lot")
