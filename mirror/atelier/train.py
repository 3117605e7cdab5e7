"""``mirror train``: from folders of pictures to weights and their cards.

The canonical frame and the pooled shape basis come from all schools together, so that one mesh
and one layout serve all six. A single school is trained inside the frame that lies in the weights
folder already. Nothing is replaced before all of it is done.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as save_tensors

from mirror import SCHOOLS, __version__
from mirror.atelier import finish, linear, proportions, ranks
from mirror.atelier import frame as frames
from mirror.atelier.classroom import PRINTS, Lesson, lesson
from mirror.atelier.legibility import legible
from mirror.atelier.packing import pack
from mirror.atelier.portraits import Gathering, gather, picture_files
from mirror.atelier.unwarp import Unwarped, Unwarper
from mirror.canonical import FRAME_FILE, Frame, Mesh, build_mesh, load_frame
from mirror.cards import FINISH, FORMAT, WARDROBE, write_weights
from mirror.clock import utc_now
from mirror.errors import PortraitsError, WeightsError
from mirror.faces import Shell, choose_device
from mirror.faces.finisher import Finisher
from mirror.faces.loading import load_face, load_finisher
from mirror.faces.model import STANDARD
from mirror.latents.latents import SchoolGeometry, isotropic
from mirror.latents.stored import STORED
from mirror.lines import contrast, faintness, strength
from mirror.places import home
from mirror.progress import Bar
from mirror.signals import Floats

log = logging.getLogger(__name__)


def train(
    schools: list[str], images: Path, out: Path | None = None, minutes: float | None = None,
    resume: bool = False, device: str = "auto", seed: int = 0,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Train schools on folders of pictures; returns their cards.

    schools: names, or ["all"]. images: a folder with one folder a school, or, for one school, the
    folder of its pictures. out: where weights go; default: the program's own. minutes: how long
    the network is trained that finishes the linear sketches; None: not at all. resume: it goes on
    from the weights that are there. device: auto, cpu or cuda. Raises
    PortraitsError before anything is written when a folder has no usable pictures.
    """
    torch.manual_seed(seed)
    place = choose_device(device)
    out = out or home() / "weights"
    wanted = list(SCHOOLS) if schools == ["all"] else schools
    folders = {school: school_folder(images, school, len(wanted) == 1) for school in wanted}
    gathered = gather_all(folders)
    alone = (out / FRAME_FILE).is_file() and len(wanted) < len(SCHOOLS)
    frame = load_frame(out) if alone else learn_frame(gathered)
    unwarped = unwarp_all(gathered, frame)
    models = learn_all(unwarped, frame)
    cards = {}
    if ranks.number() == 0:
        out.mkdir(parents=True, exist_ok=True)
        if not alone:
            frames.save_frame(frame, out, sum(len(g.portraits) for g in gathered.values()))
        cards = {s: save_model(s, *models[s], gathered[s], out, seed) for s in wanted}
        for school in wanted:
            save_wardrobe(cards[school], unwarped[school], build_mesh(frame), out)
    if minutes:
        lessons = [lesson(SCHOOLS.index(s), unwarped[s], models[s][0]) for s in wanted]
        lessons += lessons_of_prints(images / "print", frame) if not alone else []
        name = FINISH if len(wanted) == len(SCHOOLS) else f"{wanted[0]}-{FINISH}"
        cards[name] = finish.teach(lessons, out, name, minutes, resume, place, seed)
    return cards


def lessons_of_prints(folder: Path, frame: Frame) -> list[Lesson]:
    """Engravings and drawings, where there are any beside the schools: the finisher alone learns
    from them."""
    if not folder.is_dir():
        return []
    prints = gather_all({"print": folder})
    unwarped = unwarp_all(prints, frame)["print"]
    return [lesson(PRINTS, unwarped)] if len(unwarped) > 1 else []


def school_folder(images: Path, school: str, only: bool) -> Path:
    """DIR/SCHOOL, or DIR itself when a single school's pictures lie in it."""
    if school not in SCHOOLS:
        raise PortraitsError(
            "school", school, ", ".join(SCHOOLS) + " or all", "mirror train --help"
        )
    inside = images / school
    folder = inside if inside.is_dir() or not only else images
    picture_files(folder)
    return folder


def gather_all(folders: dict[str, Path]) -> dict[str, Gathering]:
    """Find the faces in every school's pictures."""
    total = sum(len(picture_files(folder)) for folder in folders.values())
    with Bar("finding faces", total) as tick:
        return {school: gather(folder, tick) for school, folder in folders.items()}


def learn_frame(gathered: dict[str, Gathering]) -> Frame:
    """The canonical frame of all portraits."""
    faces = [isotropic(p.markers, 1.0) for g in gathered.values() for p in g.portraits]
    return frames.learn_frame(faces)


def unwarp_all(gathered: dict[str, Gathering], frame: Frame) -> dict[str, list[Unwarped]]:
    """Every portrait in the canonical frame."""
    unwarper = Unwarper(build_mesh(frame), linear.TEXTURE_PX)
    with Bar("unwarping", sum(len(g.portraits) for g in gathered.values())) as tick:
        found: dict[str, list[Unwarped]] = {}
        for school, gathering in gathered.items():
            found[school] = []
            for portrait in gathering.portraits:
                found[school].append(unwarper.unwarp(portrait))
                tick()
        return found


def learn_all(
    unwarped: dict[str, list[Unwarped]], frame: Frame
) -> dict[str, tuple[linear.LinearModel, SchoolGeometry, float]]:
    """The linear model and the geometry of every school, and the strength of its lines."""
    shapes = {s: frontal(found, frame) for s, found in unwarped.items()}
    pool = proportions.Pool(np.concatenate([shape for shape, _, _ in shapes.values()]), frame)
    pooled = pool.read(np.concatenate([shape for shape, _, _ in shapes.values()]))
    models, mesh = {}, build_mesh(frame)
    for school, found in unwarped.items():
        textures = np.stack([u.texture for u in found])
        line = strength(contrast(textures, frame))
        model = linear.calmed(linear.learn_linear(textures), mesh, faintness(line))
        shape, pose, kept = shapes[school]
        geometry = proportions.learn_geometry(pool, shape, pose, model.codes[kept], pooled)
        models[school] = model, geometry, line
    return models


def frontal(found: list[Unwarped], frame: Frame) -> tuple[Floats, Floats, Any]:
    """Shapes, poses and numbers of the portraits that are not turned too far away."""
    poses = np.stack([u.pose for u in found])
    kept = np.flatnonzero(np.abs(poses[:, 0]) < proportions.TURNED)
    kept = kept if len(kept) > 2 else np.arange(len(found))
    return np.stack([found[i].shape for i in kept]), poses[kept], kept


def quantise(components: Floats) -> tuple[torch.Tensor, torch.Tensor]:
    """Components as int8 with one scale each: (K, S, S, 4) int8, (K,) float32."""
    scale = np.abs(components).reshape(len(components), -1).max(axis=1) / 127.0
    scale = np.maximum(scale, 1e-9).astype(np.float32)
    steps = np.round(components / scale[:, None, None, None]).astype(np.int8)
    return torch.from_numpy(steps), torch.from_numpy(scale)


def save_model(
    school: str, model: linear.LinearModel, geometry: SchoolGeometry, line: float,
    gathering: Gathering, out: Path, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Write weights and card, each in one step, weights first. line: see ``mirror.lines``."""
    components, scale = quantise(model.components)
    mean = np.round(np.clip(model.mean, 0, 1) * 255).astype(np.uint8)
    tensors = {
        "mean_texture": torch.from_numpy(mean),
        "components": components,
        "component_scale": scale,
        "codes": torch.from_numpy(model.codes).half(),
        **{name: torch.from_numpy(value).half() for name, value in asdict_arrays(geometry).items()},
    }
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    stored = save_tensors(tensors, metadata={"format": FORMAT, "school": school})
    norms = np.linalg.norm(model.codes, axis=1)
    shell = Shell(
        float(np.median(norms)), float(0.85 * np.median(norms)), float(1.1 * np.median(norms))
    )
    told = {
        "school": school,
        "portraits": len(gathering.portraits),
        "left_out": dict(gathering.left_out),
        "sources": dict(Counter(p.source or "unnamed" for p in gathering.portraits).most_common()),
        "trained": utc_now().date().isoformat(),
        "program": __version__,
        "settings": {
            "rung": "linear",
            "components": int((np.abs(model.codes).max(axis=0) > 0).sum()),
            "explained": round(model.explained, 4),
            "texture_px": linear.TEXTURE_PX,
            "component_px": linear.COMPONENT_PX,
            "seed": seed,
            "calmed": round(faintness(line), 3),
        },
        "shell": asdict(shell),
        "apart": round(model.apart, 4),
        "line": line,
    }
    log.info("%s: %d portraits, %.1f MB", school, len(gathering.portraits), len(stored) / 1e6)
    return write_weights(out, school, stored, told)


def save_wardrobe(
    model: dict[str, Any], found: list[Unwarped], mesh: Mesh, out: Path
) -> dict[str, Any]:
    """Write what a school's portraits wear, and its card. model: the card of the school's model.

    It is written twice: whose hair nobody wears can be told only when all of it can be worn.
    """
    textures = np.stack([each.texture for each in found])
    school, name = str(model["school"]), str(model["school"]) + WARDROBE
    told = {"school": school, "model": model["sha256"], "portraits": len(found)}
    write_weights(out, name, pack(textures, mesh), {**told, "program": __version__})
    worn = legible(load_face(school, out, mesh, "cpu", STANDARD.accent, _finisher_so_far(out)))
    told["hair"] = int(worn.sum())
    return write_weights(out, name, pack(textures, mesh, worn), {**told, "program": __version__})


def _finisher_so_far(out: Path) -> Finisher | None:
    """That of an earlier training, where there is one that can be used."""
    try:
        return load_finisher(out, FINISH, "cpu")
    except WeightsError as error:
        log.warning("hair is judged on sketches: %s", error)
        return None


def asdict_arrays(geometry: SchoolGeometry) -> dict[str, Floats]:
    """Field name -> array."""
    return {name: np.ascontiguousarray(getattr(geometry, name)) for name in STORED}
