"""The bench: what every stage costs on this machine, in the order the light travels.

In: nothing but the models. Out: a table, and a JSON file where one is asked for. The camera's
picture is a film made on the spot, one of our own portraits walking about, so that each stage works
on what the one before it gave, as in the show. Nothing is measured beside anything else: stages
take turns, and one picture of each model is painted in turn with one of the pix2pix U-Net
(``atelier/yardstick.py``), so that a busy machine is as unkind to the one as to the other.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from mirror import cores
from mirror.camera import every_frame, parse_source
from mirror.canonical import load_mesh
from mirror.clock import precise_s
from mirror.errors import WeightsError
from mirror.film import Film
from mirror.latents.latents import CODE
from mirror.latents.visitors import Visitors
from mirror.markers.markers import FaceReader
from mirror.markers.sitters import SitterTracker
from mirror.painting.loading import density
from mirror.pieces import PIECES, Arrangement, Moment
from mirror.places import weights_folder
from mirror.progress import Bar
from mirror.report import Quantiles, write_json
from mirror.river.river import RiverState, start, step
from mirror.screen import Screen
from mirror.settings import Settings
from mirror.signals import Bytes, Frame, Scene, Sitters, Visit

if TYPE_CHECKING:
    from mirror.faces import FaceModel

SIZE = (1280, 720)
SMALL = (640, 360)
RATE_HZ = 30.0
#: The film's portrait goes round in so many pictures, however short the film: a visitor's pace.
LAP = 75
PARCELS, MANY_PARCELS = 96, 10_000
#: Pictures drawn before one is measured: the driver compiles at the first.
FIRST = 3
YARDSTICK = "pix2pix"


@dataclass(frozen=True)
class Work:
    """How often each stage is measured.

    frames: of the film, and pictures drawn in each size. steps: of the river; many_steps: of the
    large one, which takes a hundred times as long. rounds: pictures of each model, and as many of
    the yardstick. paintings: different ones on the screen, which the other portraits repeat.
    """

    frames: int = 75
    steps: int = 240
    many_steps: int = 40
    rounds: int = 12
    paintings: int = PARCELS


class Timings:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self._stages: dict[str, Quantiles] = {}

    def time(self, stage: str, work: Callable[..., Any], *given: Any) -> Any:
        """Do some work, remember how long it took, and return what it gave."""
        begun_s = precise_s()
        done = work(*given)
        self.add(stage, 1000 * (precise_s() - begun_s))
        return done

    def add(self, stage: str, ms: float) -> None:
        """A stage took so many milliseconds once."""
        self._stages.setdefault(stage, Quantiles()).add(ms)

    def told(self) -> dict[str, dict[str, float | None]]:
        """p50 and p95 of every stage, in the order in which they were first measured."""
        return {stage: each.told(50, 95) for stage, each in self._stages.items()}


def bench(json: Path | None = None, work: Work | None = None) -> dict[str, Any]:
    """Measure every stage, print a table, write JSON where asked for; returns what JSON holds.

    work: how often; less is quicker and says less. The usual takes about a minute on two cores.
    Raises WeightsError when a model is missing or damaged, ScreenError when there is no OpenGL.
    """
    from mirror.faces import load_faces  # noqa: PLC0415  torch takes seconds to import

    timings, settings, work = Timings(), Settings(), work or Work()
    with Bar("measuring", 6) as tick:
        begun_s = precise_s()
        faces = load_faces(
            None, settings.faces.device, settings.faces.accent, emphasis=settings.faces.emphasis
        )
        load_s = precise_s() - begun_s
        tick()
        sitters = _watch(timings, settings, list(faces.values()), work.frames)
        tick()
        visits = _read(timings, settings, faces, sitters)
        tick()
        river = _flow(timings, "river", PARCELS, work.steps, settings, faces, visits)
        many = f"river_{MANY_PARCELS}"
        _flow(timings, many, MANY_PARCELS, work.many_steps, settings, faces, visits)
        tick()
        pictures = _paint(timings, faces, work.rounds)
        tick()
        renderer = _show(timings, settings, faces, river, visits, work.paintings)
        tick()
    told = _tell(timings, pictures, load_s, renderer)
    Console().print(*tables(told), sep="\n")
    if json is not None:
        write_json(json, told)
    return told


def _watch(
    timings: Timings, settings: Settings, faces: Sequence[FaceModel], frames: int
) -> list[Sitters]:
    """Camera and markers: a film is read, and the face in it followed."""
    seen: list[Sitters] = []
    tracker = SitterTracker(settings.markers)
    with tempfile.TemporaryDirectory(prefix="mirror-bench-") as folder:
        path = make_film(Path(folder) / "sitter.mp4", faces[0], frames)
        film = every_frame(parse_source(str(path)), settings.camera)
        with FaceReader(settings.markers) as reader:
            while (frame := timings.time("camera", next, film, None)) is not None:
                seen.append(timings.time("markers", _follow, reader, tracker, frame))
    present = [sitters for sitters in seen if sitters.sitters]
    if not present:
        raise WeightsError(
            str(weights_folder()), "the markers stage finds no face in what the models paint",
            "models that paint faces", "mirror faces sheet --out sheet.png",
        )  # fmt: skip
    return present


def _follow(reader: FaceReader, tracker: SitterTracker, frame: Frame) -> Sitters:
    return tracker.update(reader.read(frame.picture), frame.aspect, frame.time_s)


def make_film(path: Path, model: FaceModel, frames: int) -> Path:
    """A film of one portrait of the model's that wanders about in the dark."""
    latent = np.zeros(CODE.stop, np.float32)
    latent[CODE] = model.random_codes(1, 1)[0]
    portrait = model.portray(latent, size=SIZE[1] // 2)
    with Film(path, RATE_HZ) as film:
        for number in range(frames):
            film.add(_room(portrait, number / LAP), number / RATE_HZ)
    return path


def _room(portrait: Bytes, turn: float) -> Bytes:
    """The portrait somewhere on its way round. turn: 0 to 1."""
    side, angle = len(portrait), 2 * math.pi * turn
    x = round((SIZE[0] - side) * (0.5 + 0.15 * math.cos(angle)))
    y = round((SIZE[1] - side) * (0.5 + 0.15 * math.sin(angle)))
    room = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    room[:] = portrait[0, 0]
    room[y : y + side, x : x + side] = portrait
    return room


def _read(
    timings: Timings, settings: Settings, faces: dict[str, FaceModel], seen: Sequence[Sitters]
) -> list[list[Visit]]:
    """Latents: what the sitter means to each of the six schools."""
    frame = load_mesh(weights_folder()).frame
    geometries = [model.geometry for model in faces.values()]
    visitors = Visitors(geometries, frame, settings.faces.accent)
    aspect = SIZE[0] / SIZE[1]
    return [timings.time("latents", visitors.visits, each, aspect) for each in seen]


def _flow(
    timings: Timings, name: str, parcels: int, steps: int, settings: Settings,
    faces: dict[str, FaceModel], visits: list[list[Visit]],
) -> RiverState:  # fmt: skip
    """River: so many parcels flow past the visitor; returns where they are in the end."""
    river = _spring(settings, faces, parcels)
    for number in range(steps):
        now = visits[number % len(visits)]
        river = timings.time(name, step, river, settings.river, now, 1 / RATE_HZ)
    return river


def _spring(settings: Settings, faces: dict[str, FaceModel], parcels: int) -> RiverState:
    densities = [density(model) for model in faces.values()]
    chosen = dataclasses.replace(settings.river, parcels=parcels)
    return start(chosen, densities, settings.seed, SIZE[0] / SIZE[1])


def _texture(faces: dict[str, FaceModel], river: RiverState, parcel: int) -> Bytes:
    model = list(faces.values())[int(river.stream[parcel])]
    painted: Bytes = model.paint(np.ascontiguousarray(river.latent[parcel : parcel + 1, CODE]))[0]
    return painted


def _paint(timings: Timings, faces: dict[str, FaceModel], rounds: int) -> dict[str, float]:
    """Faces: median milliseconds of one picture of each model and of the yardstick, in turns."""
    from mirror.atelier.yardstick import Yardstick  # noqa: PLC0415  torch again

    painters: dict[str, Callable[[], Any]] = {YARDSTICK: Yardstick().paint}
    for school, model in faces.items():
        painters[school] = functools.partial(model.paint, model.random_codes(1, 1))
    pictures = in_turns(painters, rounds)
    for school in faces:
        for ms in pictures[school]:
            timings.add("faces", ms)
    return {name: round(float(np.median(each)), 3) for name, each in pictures.items()}


def in_turns(painters: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each call, all taking turns, so that a busy moment is unkind to all alike.

    The first call of each is not counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in painters}
    for number in range(rounds + 1):
        for name, paint in painters.items():
            begun_s = precise_s()
            paint()
            if number > 0:
                taken[name].append(1000 * (precise_s() - begun_s))
    return taken


def _show(
    timings: Timings, settings: Settings, faces: dict[str, FaceModel], river: RiverState,
    visits: list[list[Visit]], paintings: int,
) -> str:  # fmt: skip
    """Screen: the river as it is drawn, large and small; returns the renderer's name."""
    painted = [_texture(faces, river, parcel) for parcel in range(paintings)]
    textures = [painted[parcel % paintings] for parcel in range(len(river.stream))]
    small = f"screen_{SMALL[0]}x{SMALL[1]}"
    _draw(timings, "screen", SIZE, settings, river, textures, visits)
    return _draw(timings, small, SMALL, settings, river, textures, visits)


def _draw(
    timings: Timings, name: str, size: tuple[int, int], settings: Settings, river: RiverState,
    textures: list[Bytes], visits: list[list[Visit]],
) -> str:  # fmt: skip
    """Draw the river's piece, each picture with the visitor's newest markers."""
    mesh = load_mesh(weights_folder())
    with Screen(
        "offscreen", size, mesh, len(textures), settings.screen, settings.faces.cross_fade_s
    ) as screen:
        for slot, texture in enumerate(textures):
            screen.paint(slot, texture)
        for number, now in enumerate([visits[0]] * FIRST + visits):
            time_s = number / RATE_HZ
            arrangement = _arrange(river, now, time_s, settings.seed)
            scene = Scene(time_s, 1 / RATE_HZ, arrangement.portraits)
            if number < FIRST:
                _draw_whole(screen, scene)
            else:
                timings.time(name, _draw_whole, screen, scene)
        return screen.renderer


def _draw_whole(screen: Screen, scene: Scene) -> None:
    screen.draw(scene)
    screen.finish()


def _arrange(river: RiverState, visits: list[Visit], time_s: float, seed: int) -> Arrangement:
    moment = Moment(
        time_s, river.aspect, river.stream, river.place, river.latent, river.turbulence, visits,
        load_mesh(weights_folder()), seed,
    )  # fmt: skip
    return PIECES["river"](moment)


def _tell(
    timings: Timings, pictures: dict[str, float], load_s: float, renderer: str
) -> dict[str, Any]:
    """What was measured, as JSON can hold it."""
    schools = {name: ms for name, ms in pictures.items() if name != YARDSTICK}
    known = pictures[YARDSTICK]
    return {
        "stage_ms": timings.told(),
        "sizes": {
            "camera": f"{SIZE[0]}x{SIZE[1]}",
            "river": PARCELS,
            "screen": f"{SIZE[0]}x{SIZE[1]}",
        },
        "picture_ms": pictures,
        "picture_ratio": {name: round(ms / known, 4) for name, ms in schools.items()},
        "portraits_per_s": round(1000 * len(schools) / sum(schools.values()), 2),
        "load_s": round(load_s, 3),
        "renderer": renderer,
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """What this was measured on."""
    from mirror.atelier.yardstick import threads  # noqa: PLC0415  torch again

    return {
        "processor": _processor(),
        "cores": len(cores.usable()),
        "own_cores": cores.own(),
        "threads": threads(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _processor() -> str:
    """The processor's own name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def tables(told: dict[str, Any]) -> list[Table | str]:
    """What a person reads of it."""
    stages = Table("stage", title="milliseconds", title_justify="left")
    for column in ("p50", "p95"):
        stages.add_column(column, justify="right")
    for name, ms in told["stage_ms"].items():
        stages.add_row(name, f"{ms['p50']:.2f}", f"{ms['p95']:.2f}")
    pictures = Table("one picture of", title="beside pix2pix", title_justify="left")
    for column in ("ms", "ratio"):
        pictures.add_column(column, justify="right")
    for name, ms in told["picture_ms"].items():
        pictures.add_row(name, f"{ms:.1f}", f"{told['picture_ratio'].get(name, 1.0):.3f}")
    about = told["machine"]
    return [
        stages,
        pictures,
        f"{told['portraits_per_s']:.1f} portraits a second; models load in {told['load_s']:.2f} s; "
        f"{about['processor']}, {about['cores']} cores; {told['renderer']}",
    ]
