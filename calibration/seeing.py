"""What a watched camera is worth: what came from it comes in, ``Verdict``s go out.

Each thing that can be wrong has a verdict and an advice of its own. Pure; called by the camera
step and by the check.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calibration.flicker import LAME_LAMPS_HZ, LAMPS_HZ, Flicker, flicker
from calibration.rhythm import Rhythm, places_in_time, rhythm, settled
from calibration.verdicts import FAIL, PASS, WARN, Verdict, judged
from calibration.watching import Watched
from mirror.camera import DeviceFacts, device_at, parse_source, refused
from mirror.errors import SourceError
from mirror.settings import CameraSettings

#: Share of the asked rate that passes, and the rate under which movement is no longer followed.
RATE_SHARE, LEAST_RATE_HZ = 0.95, 15.0
#: Unrest of the time between two pictures, as a share of it.
QUIET, RESTLESS = 0.25, 1.0
#: Share of pictures that may get lost on the way.
LOST, LOST_MOST = 0.02, 0.2
#: Amplitude of flickering light, as a share of the brightness: what nobody notices, and what
#: makes faces pulse.
CALM_LIGHT, PULSING_LIGHT = 0.005, 0.05
#: Light that was not seen to flicker, in [measured].
STEADY = 0.0


def camera_verdicts(
    watched: Watched, settings: CameraSettings, devices: Sequence[DeviceFacts]
) -> list[Verdict]:
    """All that can be said of a camera that was watched."""
    if watched.other:
        return [_other(watched, settings)]
    if not watched.seen:
        return [_absent(watched, settings)]
    there = Verdict("camera.there", PASS, watched.identity or str(parse_source(settings.source)))
    found = [there, _identity(watched, settings), *_twin(settings, devices)]
    if "frozen" in watched.states:
        return [*found, _frozen(watched)]
    found += [_whole(watched), _size(watched, settings), *_format(watched, settings)]
    found += [*_controls(watched, settings)]
    try:
        beat = rhythm(watched.times_s, watched.numbers)
    except SourceError as error:
        advice = f"it breaks off after a moment: {watched.trouble or error.attempt}"
        return [*found, Verdict("camera.rate", FAIL, error.found, error.allowed, advice)]
    return [*found, *_rhythm(beat, settings), _flicker(light_of(watched), settings)]


def measured_of(watched: Watched) -> dict[str, Any]:
    """What goes into the [measured] table of the site file."""
    try:
        beat = rhythm(watched.times_s, watched.numbers)
    except SourceError:
        return {}
    light = light_of(watched)
    controls = watched.achieved.controls if watched.achieved else ()
    return {
        "camera_width_px": float(watched.size[0]),
        "camera_height_px": float(watched.size[1]),
        "camera_rate_hz": round(beat.rate_hz, 3),
        "camera_jitter_ms": round(beat.jitter_ms, 2),
        "camera_flicker_hz": round(light.light_hz, 2),
        "camera_flicker_share": round(light.share, 4),
        "camera_refused": "; ".join(refused(controls)),
    }


def light_of(watched: Watched) -> Flicker:
    """The flicker in what was watched, at the rate at which the sensor exposed."""
    kept = settled(watched.times_s)
    places, sensor_hz, doubt = places_in_time(watched.times_s[kept])
    return flicker(watched.rows[kept], places, sensor_hz, doubt)


def _absent(watched: Watched, settings: CameraSettings) -> Verdict:
    """No picture came: why, and what to do."""
    source = parse_source(settings.source)
    why = watched.trouble or "it sends nothing"
    if "blocked" in watched.states:
        found, advice = (
            f"{source} sends no picture ({why})",
            "switch it off and on; does another program hold it?",
        )
    elif source.kind == "url":
        found, advice = (
            f"no camera answers at {source} ({why})",
            "is it switched on, in this network, and the address right? Open it in a browser",
        )
    else:
        found, advice = (
            f"no camera: {source} ({why})",
            "plug it in; `calibrate camera --list` says what is there",
        )
    return Verdict("camera.there", FAIL, found, "pictures come", advice)


def _other(watched: Watched, settings: CameraSettings) -> Verdict:
    wanted = f"the site's: {settings.identity}"
    return Verdict("camera.identity", FAIL, watched.other, wanted, watched.trouble)


def _identity(watched: Watched, settings: CameraSettings) -> Verdict:
    limit = "the site's camera and no other"
    if not settings.identity:
        advice = "choose it, so that no other takes its place unnoticed: `calibrate camera`"
        return Verdict("camera.identity", WARN, "the site names none", limit, advice)
    return Verdict("camera.identity", PASS, "the site's camera", limit)


def _twin(settings: CameraSettings, devices: Sequence[DeviceFacts]) -> list[Verdict]:
    """Two cameras of one name: told apart only by their sockets."""
    source = parse_source(settings.source)
    device = device_at(source, devices) if source.kind == "device" else None
    if device is None or not device.twin:
        return []
    alike = sum(each.name == device.name and each.node == 0 for each in devices)
    found, limit = f"{alike} cameras are called {device.name}", "told apart by socket"
    if settings.source == device.by_path:
        return [Verdict("camera.name", PASS, f"{found}; known by its socket", limit)]
    advice = f"name the socket: calibrate camera --source {device.stable}"
    return [
        Verdict("camera.name", FAIL, f"{found}; {settings.source} may be either", limit, advice)
    ]


def _frozen(watched: Watched) -> Verdict:
    found = "frozen: the same picture again and again"
    advice = "switch the camera off and on; another cable or socket; take it off a USB hub"
    return Verdict("camera.picture", FAIL, found, "pictures that differ", advice)


def _whole(watched: Watched) -> Verdict:
    faults = {name: count for name, count in watched.faults if count and name != "reopened"}
    share = faults.get("corrupt", 0) / max(1, len(watched.times_s))
    limit = "no damaged picture, no break"
    if not faults:
        return Verdict("camera.picture", PASS, "whole", limit)
    found = ", ".join(f"{count} x {name.replace('_', ' ')}" for name, count in faults.items())
    advice = "a better or shorter cable; a socket of its own; for Wi-Fi: a cable"
    return Verdict("camera.picture", FAIL if share > 0.1 else WARN, found, limit, advice)


def _size(watched: Watched, settings: CameraSettings) -> Verdict:
    asked, found = (settings.width_px, settings.height_px), "{}x{}".format(*watched.size)
    limit = "{}x{}".format(*asked)
    if watched.size == asked:
        return Verdict("camera.size", PASS, found, limit, value=found)
    if parse_source(settings.source).kind == "device":
        advice = f"it has no such size: calibrate camera --size {found}"
    else:
        advice = f"set it in the camera's own page, or take it as it is: --size {found}"
    return Verdict("camera.size", WARN, found, limit, advice, found)


def _format(watched: Watched, settings: CameraSettings) -> list[Verdict]:
    """A device's format, as it was asked for and as it was read back."""
    achieved = watched.achieved
    if achieved is None or parse_source(settings.source).kind != "device":
        return []
    if settings.format in ("auto", achieved.format):
        return [Verdict("camera.format", PASS, achieved.format, settings.format)]
    advice = f"take what it has: calibrate camera --format {achieved.format or 'auto'}"
    return [Verdict("camera.format", WARN, achieved.format, settings.format, advice)]


def _controls(watched: Watched, settings: CameraSettings) -> list[Verdict]:
    """Exposure, gain, white balance, focus: those that a device has."""
    if watched.achieved is None or parse_source(settings.source).kind != "device":
        return []
    verdicts = []
    for each in watched.achieved.controls:
        key = f"camera.{each.setting.rsplit('_', 1)[0]}"
        found = "not there" if each.found is None else f"{each.found:g}"
        if each.asked is not None:
            limit, state = f"{each.asked:g}, read back", PASS if each.taken else FAIL
            advice = "" if each.taken else "the camera does not take it: try another value"
        elif each.found is None or each.held:
            limit, state, advice = "as it is", PASS, ""
        else:
            limit, state, found = "locked", WARN, f"{found}, changing by itself"
            advice = "lock it, so that bright portraits do not change it: calibrate camera --lock"
        verdicts.append(Verdict(key, state, found, limit, advice, each.found))
    return verdicts


def _rhythm(beat: Rhythm, settings: CameraSettings) -> list[Verdict]:
    asked, period_ms = settings.rate_hz, 1e3 / beat.rate_hz
    least = min(RATE_SHARE * asked, 1e4)
    rate = judged(
        "camera.rate", beat.rate_hz, f"{beat.rate_hz:.2f} pictures a second",
        (least, 1e4), (min(least, LEAST_RATE_HZ), 1e4), f"{least:.1f} and more",
        _slow_advice(beat, settings),
    )  # fmt: skip
    jitter = judged(
        "camera.jitter", beat.jitter_ms,
        f"{beat.jitter_ms:.1f} ms, longest wait {beat.longest_ms:.0f} ms",
        (0.0, QUIET * period_ms), (0.0, RESTLESS * period_ms), f"{QUIET * period_ms:.1f} ms",
        "", "pictures come in bursts: a cable instead of Wi-Fi, fewer devices on the hub",
    )  # fmt: skip
    lost_share = max(0.0, 1 - beat.rate_hz / beat.sensor_hz)
    lost = judged(
        "camera.lost", lost_share, f"{100 * lost_share:.1f} % of the pictures", (0.0, LOST),
        (0.0, LOST_MOST), f"{100 * LOST:g} %", "",
        "a smaller size or a lower rate; a socket of its own",
    )  # fmt: skip
    return [rate, jitter, lost]


def _slow_advice(beat: Rhythm, settings: CameraSettings) -> str:
    kind = parse_source(settings.source).kind
    if kind == "file":
        return f"a film is as it is: --rate {beat.rate_hz:.0f}"
    if kind == "url":
        advice = f"more light, or {settings.rate_hz:g} pictures a second in the camera's own page"
    elif settings.exposure_ms > 1e3 / settings.rate_hz:
        advice = f"a shorter exposure: --exposure {1e3 / settings.rate_hz:.0f}"
    else:
        advice = "more light or a fixed exposure (in the dark a camera slows down), --format MJPG"
    if beat.rate_hz >= LEAST_RATE_HZ:
        return f"{advice}, or take it as it is: --rate {beat.rate_hz:.0f}"
    return advice


def _flicker(light: Flicker, settings: CameraSettings) -> Verdict:
    limit = f"{100 * CALM_LIGHT:g} % of the brightness"
    blind = " and ".join(f"{hz:g} Hz" for hz in light.blind_hz)
    if not light.light_hz:
        found = "none" + (f" (light at {blind} would not show at this rate)" if blind else "")
        return Verdict("camera.flicker", PASS, found, limit, value=STEADY)
    found = f"{100 * light.share:.1f} % at {_lamp(light)}"
    state = judged(
        "camera.flicker", light.share, "", (0.0, CALM_LIGHT), (0.0, PULSING_LIGHT), "", ""
    ).state
    advice = "" if state == PASS else _steady_advice(light, settings)
    return Verdict("camera.flicker", state, found, limit, advice, round(light.light_hz, 2))


def _lamp(light: Flicker) -> str:
    if light.light_hz not in LAMPS_HZ + LAME_LAMPS_HZ:
        return f"{light.light_hz:.1f} Hz, or a light whose alias that is"
    mains = 50 if light.light_hz in (100.0, 50.0) else 60
    sure = "" if light.certain else "; the other mains would look alike at this rate"
    return f"{light.light_hz:g} Hz, lamps on {mains} Hz mains, seen as {light.seen_hz:.1f} Hz{sure}"


def _steady_advice(light: Flicker, settings: CameraSettings) -> str:
    if light.light_hz not in LAMPS_HZ + LAME_LAMPS_HZ:
        return "find the lamp that pulses (a dimmed one?) and take it out, or daylight through it"
    period_ms = 1e3 / light.light_hz
    longest = max(1, int(1e3 / settings.rate_hz / period_ms))
    if parse_source(settings.source).kind == "device":
        whole_ms = longest * period_ms
        return f"expose whole periods of the light: calibrate camera --exposure {whole_ms:.1f}"
    mains = 50 if light.light_hz in (100.0, 50.0) else 60
    return (
        f"choose {mains} Hz (anti-flicker) in the camera's own page, or lamps that do not flicker"
    )
