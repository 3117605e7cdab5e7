"""The doctor: looks at the machine and says in plain words what is there and what is missing.

Nothing comes in but a site's name; findings go out, each with the command that mends it. What
could take the doctor down with it (a graphics driver, a broken library) is tried in a process of
its own. Called by the command line only.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from mirror import SCHOOLS, __version__, cores
from mirror.canonical import load_frame
from mirror.cards import read_weights
from mirror.clock import utc_now
from mirror.diagnostics.probes import DISPLAY, MARKERS, OPENGL, TORCH, probe
from mirror.errors import MirrorError, SettingsError, WeightsError
from mirror.places import home, shaders_folder, weights_folder
from mirror.report import write_json
from mirror.session.almanac import doubted_until_s
from mirror.session.retention import shelf
from mirror.settings import Settings
from mirror.site.site import read_site, site_path

#: What setup.cfg asks for; a test holds the two together.
PACKAGES = (
    *("torch", "mediapipe", "opencv-contrib-python", "numpy", "scipy", "moderngl", "glfw"),
    *("safetensors", "av", "mcap", "typer", "rich", "packaging", "tomli"),
    *("python-osc", "starlette", "uvicorn", "prometheus-client", "segno"),
)
#: Each owns the same ``cv2`` folder as opencv-contrib-python: whichever came last wins.
RIVALS = ("opencv-python", "opencv-python-headless", "opencv-contrib-python-headless")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. state: ok, warn or fail; mend: the command that mends it, or empty."""

    what: str
    state: str
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """All findings."""

    findings: tuple[Finding, ...]

    @property
    def works(self) -> bool:
        """Whether ``mirror run`` would work."""
        return all(each.state != "fail" for each in self.findings)

    def text(self) -> str:
        """For people: one line a finding, and what it comes to."""
        lines = [
            f"{each.state:<5} {each.what:<10} {each.found}"
            + (f"  ->  {each.mend}" if each.mend else "")
            for each in self.findings
        ]
        end = "works" if self.works else "would not work before the lines marked fail are mended"
        return "\n".join([*lines, f"\n`mirror run` {end}."])

    def told(self) -> dict[str, Any]:
        """For programs."""
        findings = [asdict(each) for each in self.findings]
        return {"works": self.works, "version": __version__, "findings": findings}


def doctor(json: Path | None = None, site: str = "site") -> Diagnosis:
    """Look at everything that ``mirror run`` needs; write the findings to ``json`` if given."""
    settings, site_finding = look_at_site(site)
    probes = (look_at_opengl, lambda: look_at_display(settings), look_at_markers, look_at_torch)
    with ThreadPoolExecutor(len(probes)) as pool:
        probed = [pool.submit(probe) for probe in probes]
        findings = [
            look_at_python(),
            *look_at_packages(),
            site_finding,
            *look_at_weights(settings),
            look_at_shaders(),
            look_at_camera(settings),
            look_at_disk(),
            look_at_recordings(settings),
            look_at_memory(),
            *(each.result() for each in probed),
        ]
    diagnosis = Diagnosis(tuple(findings))
    if json is not None:
        write_json(json, diagnosis.told())
    return diagnosis


def look_at_python() -> Finding:
    """mediapipe's wheels are for CPython 3.9 to 3.12."""
    found = f"{platform.python_implementation()} {platform.python_version()} on {sys.platform}"
    if (3, 9) <= sys.version_info[:2] <= (3, 12):
        return Finding("python", "ok", found)
    return Finding("python", "fail", f"{found}; 3.9 to 3.12 is needed", "make setup")


def look_at_packages() -> list[Finding]:
    """The packages that the program imports, against the exact versions it was tried with."""
    pins, missing, other = _pins(home() / "constraints.txt"), [], []
    asked = [name for name in PACKAGES if name in pins or not pins]
    for name in asked:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if name in pins and not pins[name].specifier.contains(version, prereleases=True):
            other.append(f"{name} {version} instead of {pins[name].specifier}")
    rivals = [name for name in RIVALS if _installed(name)]
    findings = []
    if missing:
        findings.append(Finding("packages", "fail", f"missing: {', '.join(missing)}", "make setup"))
    if other:
        findings.append(Finding("packages", "warn", f"untried: {', '.join(other)}", "make setup"))
    if rivals:
        mend = f"pip uninstall {' '.join(rivals)} opencv-contrib-python; make -B setup"
        findings.append(Finding("packages", "warn", f"beside it: {', '.join(rivals)}", mend))
    return findings or [Finding("packages", "ok", f"{len(asked)}, each in the version tried")]


def look_at_site(site: str) -> tuple[Settings, Finding]:
    """The site file, and the settings it gives: the defaults where it cannot be read."""
    try:
        return read_site(site), Finding("site", "ok", str(site_path(site)))
    except SettingsError as error:
        return Settings(), Finding("site", "fail", str(error), f"calibrate check --site {site}")


def look_at_weights(settings: Settings) -> list[Finding]:
    """The canonical frame and six models, each held to the checksum on its card."""
    try:
        folder = weights_folder(settings.faces.weights)
    except MirrorError as error:
        return [Finding("weights", "fail", str(error))]
    looks: list[Callable[[], object]] = [
        partial(load_frame, folder),
        *(partial(read_weights, folder, s) for s in SCHOOLS),
    ]
    faults = []
    for look in looks:
        try:
            look()
        except WeightsError as error:
            found = f"{error.where}: {error.found}"
            faults.append(Finding("weights", "fail", found, error.attempt))
    return faults or [Finding("weights", "ok", f"six models in {folder}, each as its card says")]


def look_at_shaders() -> Finding:
    """The passes that the screen compiles."""
    try:
        folder = shaders_folder()
    except MirrorError as error:
        return Finding("shaders", "fail", str(error), "git checkout -- shaders")
    count = len(list(folder.glob("*.frag")))
    if not count:
        return Finding("shaders", "fail", f"none in {folder}", "git checkout -- shaders")
    return Finding("shaders", "ok", f"{count} passes in {folder}")


def look_at_camera(settings: Settings) -> Finding:
    """The camera that the site names, or any; it is not opened."""
    try:
        from mirror.camera import known_again, list_devices, parse_source
    except ImportError as error:  # OpenCV wants libGL even where nothing is drawn
        return Finding("camera", "fail", str(error), ".ci/system-packages run")
    devices = list_devices()
    seen = "; ".join(f"{each.name} at {each.stable}" for each in devices if each.node == 0)
    if not settings.camera.source:
        found = seen or "none; the piece plays a session of synthetic sitters"
        mend = "" if seen else "mirror run --source URL"
        return Finding("camera", "ok" if seen else "warn", found, mend)
    try:
        source = parse_source(settings.camera.source)
    except MirrorError as error:
        return Finding("camera", "fail", str(error), "calibrate show")
    path = f"/dev/video{source.address}" if isinstance(source.address, int) else source.address
    if source.kind == "device" and not Path(path).exists():
        found = f"{source}, which the site file names, is not there now; seen: {seen or 'none'}"
        return Finding("camera", "warn", found, "plug it in: it is looked for again and again")
    if source.kind == "device" and settings.camera.identity:
        try:
            known_again(settings.camera.identity, source, devices)
        except MirrorError as error:
            return Finding("camera", "fail", f"{source}: {error.found}", error.attempt)
    return Finding("camera", "ok", str(source))


def look_at_disk() -> Finding:
    """Room for films, reports and recordings."""
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    found = f"{free_gb:.1f} GB free in {Path.cwd()}"
    if free_gb < 0.1:
        return Finding("disk", "fail", found, "make room: at least 0.1 GB")
    return Finding("disk", "ok" if free_gb > 2 else "warn", found)


def look_at_recordings(settings: Settings) -> Finding:
    """What is kept of recorded sessions, and for how long."""
    record = settings.record
    if not record.folder:
        return Finding("recordings", "ok", "no folder of recordings is looked after")
    kept = shelf(Path(record.folder))
    rule = f"deleted after {record.keep_days:g} days" if record.keep_days else "kept for ever"
    size_mb = sum(each.bytes for each in kept) / 1e6
    found = f"{len(kept)} in {record.folder}, {size_mb:.1f} MB; {rule}"
    until_s = doubted_until_s(Path(record.folder), utc_now().timestamp())
    if until_s is not None and record.keep_days:
        until = f"{datetime.fromtimestamp(until_s, timezone.utc):%Y-%m-%d %H:%M} UTC"
        found = f"{found}; the clock leapt ahead, nothing is deleted before {until}"
        return Finding("recordings", "warn", found, "set the clock")
    return Finding("recordings", "ok", found)


def look_at_memory() -> Finding:
    """Memory and processor cores."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    usable, own = len(cores.usable()), cores.own()
    found = f"{memory_gb:.1f} GB of memory, {usable} cores"
    if own < usable:
        found += f", threads of {own}"
    if memory_gb < 1.5:
        return Finding("memory", "warn", f"{found}; 2 GB are advised")
    if usable < 2:
        return Finding("memory", "warn", f"{found}; two cores are advised")
    return Finding("memory", "ok", found)


def look_at_opengl() -> Finding:
    """An offscreen context, as the program makes one."""
    works, found = probe(OPENGL)
    if not works:
        return Finding("opengl", "fail", found, ".ci/system-packages run")
    soft = any(name in found for name in ("llvmpipe", "softpipe", "swrast"))
    return Finding("opengl", "ok", found + ("; drawn by the processor" if soft else ""))


def look_at_display(settings: Settings) -> Finding:
    """A window, as the program opens one; without a display the piece draws offscreen."""
    needed = settings.screen.kind == "window"
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        found, works = "none; the piece draws offscreen and writes a film under out/", False
    else:
        works, found = probe(DISPLAY)
    if works:
        return Finding("display", "ok", found.rstrip("; "))
    state, mend = ("fail", "mirror run --screen offscreen") if needed else ("warn", "")
    return Finding("display", state, found, mend)


def look_at_markers() -> Finding:
    """mediapipe, with the models that its wheel carries."""
    works, found = probe(MARKERS)
    return Finding("markers", *(("ok", found) if works else ("fail", found, "make -B setup")))


def look_at_torch() -> Finding:
    """Where the portraits are painted."""
    works, found = probe(TORCH)
    return Finding(
        "torch", *(("ok", f"paints on {found}") if works else ("fail", found, "make -B setup"))
    )


def _pins(path: Path) -> dict[str, Requirement]:
    """The lines of constraints.txt that hold for this Python; none where it is missing."""
    return {
        each.name.lower(): each
        for each in _requirements(path.read_text(encoding="utf-8") if path.is_file() else "")
        if each.marker is None or each.marker.evaluate()
    }


def _requirements(text: str) -> Iterable[Requirement]:
    """The requirements of a list of them, comments left out."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return (Requirement(line) for line in lines if line)


def _installed(name: str) -> bool:
    """Whether a package is installed."""
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False
