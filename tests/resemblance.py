"""Does a sitter know oneself in the river? Measured from drawn pictures alone.

    python tests/resemblance.py [--clips DIR] [--sitters 12] [--json out/resemblance.json]

Twelve sitters, filmed ones first and synthetic ones after them, sit before a river of their own,
one at a time, for a while. At some moments of the second half of it the portraits that have risen
for them are cut out of the drawn picture, and FaceMesh, in static mode, looks at each as at a
picture that it has never seen. Whose proportions are nearest to what it finds, the mean over these
portraits and moments, is who is named. Ten minutes after they left the most visible portraits at
the same place are asked again.

Some sitters, the filmed ones first, are also followed for ten seconds from when they came: yaw and
mouth of the nearest risen portrait in each picture against the sitter's own, and by how many
pictures of the camera they lag behind. Whoever hardly moves says little: put together, each counts
by how much they moved.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mirror.atelier.measures import performances
from mirror.atelier.measures.judge import expression, look, proportions
from mirror.atelier.measures.obedience import correlations, different, known
from mirror.atelier.measures.performances import Performance
from mirror.faces.wardrobe import Dress
from mirror.latents.latents import CODE, isotropic
from mirror.latents.visitors import Visitors
from mirror.painting.loading import Models, load
from mirror.pieces import PIECES, Arrangement, Moment
from mirror.places import weights_folder
from mirror.progress import Bar
from mirror.report import write_json
from mirror.river.river import RiverState, advance, start
from mirror.screen import Screen
from mirror.settings import FaceSettings, RiverSettings, ScreenSettings
from mirror.signals import Bytes, Floats, Portraits, Scene, Sitter, Sitters, Visit

SIZE = 1280, 720
#: So long they sit, so often they are looked at, and so long after they left they are asked again.
SITS_S, GLANCES_HZ, LATER_S = 15.0, 10.0, 600.0
#: How often, in the second half of the sitting, the pictures are looked at: one of them may show
#: nothing but somebody who turns to leave.
LOOKED = 6
#: Portraits that are looked at for one sitter: the risen ones are six.
ASKED = 6
#: A portrait less opaque than this cannot be seen well enough to know anybody in it.
OPAQUE = 0.5
#: Sitters that are followed, for so many moments of their performances, and lags that are tried, in
#: camera pictures.
FOLLOWED, MOMENTS, LAGS = 6, 300, 5


@dataclass
class Stage:
    """A river, its screen and its models, on a clock of its own."""

    models: Models
    screen: Screen
    seed: int = 1
    worn: dict[int, Dress | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.aspect = SIZE[0] / SIZE[1]
        faces = list(self.models.faces.values())
        self.mesh = faces[0].mesh
        self.river: RiverState = start(
            RiverSettings(), self.models.densities, self.seed, self.aspect
        )
        geometries = [face.geometry for face in faces]
        self.visitors = Visitors(geometries, self.mesh.frame, FaceSettings().accent)
        self.visits: list[Visit] = []

    def meet(self, time_s: float, markers: Floats | None, aspect: float = 1.0) -> None:
        """The river flows up to a time, and then sees somebody, or nobody."""
        self.river = advance(self.river, RiverSettings(), self.visits, time_s)
        here = () if markers is None else (Sitter(1, markers, aspect, 1.0, 0.1),)
        self.visits = self.visitors.visits(Sitters(time_s, here), self.aspect)

    def arrange(self) -> Arrangement:
        """What hangs where now."""
        river = self.river
        return PIECES["river"](
            Moment(
                river.time_s, self.aspect, river.stream, river.place, river.latent,
                river.turbulence, self.visits, self.mesh, self.seed,
            )
        )  # fmt: skip

    def paint(self, arrangement: Arrangement) -> None:
        """Every portrait that can be seen is painted as its parcel is now."""
        faces = list(self.models.faces.values())
        for parcel in arrangement.parcel:
            face = faces[int(self.river.stream[parcel])]
            code = face.on_shell(self.river.latent[parcel : parcel + 1, CODE])
            if parcel not in self.worn:
                self.worn[parcel] = face.dress(code)[0]
            painted = face.paint(code, worn=[self.worn[parcel]])[0]
            varnished = self.screen.varnish(painted, int(parcel))
            self.screen.hang(int(parcel), varnished, at_once=True)

    def draw(self, portraits: Portraits, dt_s: float = 0.0) -> Bytes:
        """The picture that a visitor sees: (720, 1280, 3) uint8 RGB."""
        self.screen.draw(Scene(time_s=self.river.time_s, dt_s=dt_s, portraits=portraits))
        return self.screen.picture()


def cut(picture: Bytes, portraits: Portraits, number: int) -> Bytes:
    """The square of one portrait out of the picture, 256 pixels a side."""
    high = picture.shape[0]
    x, y = portraits.centre[number] * high
    half = 0.5 * float(portraits.height[number]) * high
    corners = np.array([[x - half, y - half], [x + half, y - half], [x - half, y + half]])
    to = np.array([[0, 0], [256, 0], [0, 256]], np.float32)
    turn = cv2.getAffineTransform(corners.astype(np.float32), to)
    return np.asarray(cv2.warpAffine(picture, turn, (256, 256), flags=cv2.INTER_AREA), np.uint8)


def nearest(portraits: Portraits, place: Floats) -> list[int]:
    """The portraits to be asked, the largest first among those that can be seen near a place."""
    away = np.linalg.norm(portraits.centre - place, axis=1)
    seen = (portraits.opacity > OPAQUE) & (away < 0.75)
    worth = np.where(seen, portraits.height - 0.2 * away, -np.inf)
    return [int(n) for n in np.argsort(-worth)[:ASKED] if np.isfinite(worth[n])]


def proportions_found(stage: Stage, place: Floats) -> Floats | None:
    """What FaceMesh finds in the portraits near a place, their mean; None if it finds nobody."""
    arrangement = stage.arrange()
    stage.paint(arrangement)
    portraits = arrangement.portraits
    for _ in range(8):  # the water has to carry what lies on it
        picture = stage.draw(portraits, 0.1)
    looked = [look(cut(picture, portraits, n)) for n in nearest(portraits, place)]
    found = [proportions(points, stage.mesh.frame) for points in looked if points is not None]
    return np.asarray(np.mean(found, axis=0)) if found else None


def sit(stage: Stage, person: Performance) -> tuple[Floats | None, Floats | None]:
    """What the river shows of somebody at once, and ten minutes after they left."""
    moments = person.thinned(int(SITS_S * GLANCES_HZ)).markers
    asked = np.linspace(len(moments) // 2, len(moments) - 1, LOOKED).astype(int)
    looks = []
    for number, markers in enumerate(moments):
        stage.meet(stage.river.time_s + 1 / GLANCES_HZ, markers, person.aspect)
        place = stage.visits[0].place
        if number in asked:
            looks.append(proportions_found(stage, place))
    seen = [found for found in looks if found is not None]
    at_once = np.asarray(np.mean(seen, axis=0)) if seen else None
    begun_s = stage.river.time_s
    for second in range(1, int(LATER_S) + 1):
        stage.meet(begun_s + second, None)
    stage.worn.clear()  # all of them have sunk and risen again
    return at_once, proportions_found(stage, place)


@dataclass(frozen=True)
class Followed:
    """A sitter's mouth, yaw and eyes, and those found in the nearest portrait.

    asked, found: (T, 3), NaN where no face was found; angles in radians, openings in portrait
    units.
    """

    who: str
    asked: Floats
    found: Floats

    def told(self) -> dict[str, Any]:
        """How well the portrait followed at once, and how far the sitter moved."""
        return {
            "who": self.who,
            "lost": int(np.isnan(self.found[:, 0]).sum()),
            "mouth_yaw": agree([self], 0),
            "moved": [round(float(d), 4) for d in np.std(self.asked, axis=0)[:2]],
        }


def agree(followed: Sequence[Followed], lag: int) -> list[float]:
    """Correlations of mouth and yaw with what was found so many pictures later."""
    pairs = []
    for each in followed:
        asked, found = each.asked[: len(each.asked) - lag or None], each.found[lag:]
        whole = np.isfinite(found).all(axis=1)
        pairs.append((list(asked[whole]), list(found[whole])))
    return [round(c, 3) for c in correlations(pairs)[:2]]


def follow(stage: Stage, person: Performance) -> Followed:
    """What the nearest risen portrait does while somebody sits there."""
    frame, asked, found = stage.mesh.frame, [], []
    for number, markers in enumerate(person.markers[:MOMENTS]):
        stage.meet(stage.river.time_s + 1 / 30, markers, person.aspect)
        arrangement = stage.arrange()
        if number % 30 == 0:
            stage.paint(arrangement)
        picture = stage.draw(arrangement.portraits, 1 / 30)
        chosen = nearest(arrangement.portraits, stage.visits[0].place)[:1]
        points = look(cut(picture, arrangement.portraits, chosen[0])) if chosen else None
        asked.append(expression(isotropic(markers, person.aspect), frame))
        found.append(asked[-1] * np.nan if points is None else expression(points, frame))
    return Followed(person.name, np.array(asked), np.array(found))


def measure(clips: Path | None, sitters: int, seed: int) -> dict[str, Any]:
    """All of it; see the module."""
    models = load(weights_folder(), FaceSettings())
    people = performances.filmed(clips) if clips else []
    people += performances.synthetic(seed, 300.0)
    mesh = next(iter(models.faces.values())).mesh
    people = different(people, mesh.frame)[:sitters]
    settings = ScreenSettings(width_px=SIZE[0], height_px=SIZE[1])
    parcels = RiverSettings().parcels
    named: dict[str, list[bool]] = {"at_once": [], "later": []}
    followed: list[Followed] = []
    with Screen("offscreen", SIZE, mesh, parcels, settings, 0.0) as screen:
        gallery = np.stack([known(person, mesh.frame) for person in people])
        with Bar("sitting", len(people) + FOLLOWED) as tick:
            for number, person in enumerate(people):
                seen = sit(Stage(models, screen, seed + number), person)
                for when, found in zip(named, seen):
                    who = -1 if found is None else _who(gallery, found)
                    named[when].append(who == number)
                tick()
            for person in people[:FOLLOWED]:
                followed.append(follow(Stage(models, screen, seed), person))
                tick()
    shares = {when: round(float(np.mean(right)), 3) for when, right in named.items()}
    return {
        "sitters": [p.name for p in people],
        "named": shares,
        "mouth_yaw_by_lag": {lag: agree(followed, lag) for lag in range(LAGS + 1)},
        "followed": [each.told() for each in followed],
    }


def _who(gallery: Floats, found: Floats) -> int:
    return int(np.linalg.norm(gallery - found, axis=1).argmin())


def main() -> None:
    """The command line."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--clips", type=Path, help="a folder of films; without it all are synthetic")
    asked.add_argument("--sitters", type=int, default=12)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--json", type=Path)
    options = asked.parse_args()
    told = measure(options.clips, options.sitters, options.seed)
    print(told)
    if options.json:
        write_json(options.json, told)


if __name__ == "__main__":
    main()
