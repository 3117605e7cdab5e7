"""The shapes of a school: its basis, its accent, and what it expects of proportions.

Proportions are read in one pooled basis (principal components of the shapes of all schools,
whitened). In it each school is a Gaussian, shrunk a little towards all of them because some
schools have few portraits. The accent carries the pooled Gaussian onto the school's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mirror import MARKERS
from mirror.canonical import Frame
from mirror.latents.latents import SchoolGeometry, remove_pose, steadiness
from mirror.session.puppet import PROPORTIONS, Pose, make_puppet
from mirror.signals import Floats

#: Components of the pooled shape basis.
COMPONENTS = 24
#: How far a school's Gaussian is drawn towards the pooled one.
SHRINK = 0.25
#: Ridge of the reading, in units of a component's variance.
READ_RIDGE = 0.02
#: Ridge of the regression of appearance on proportions, in portraits.
EXPECT_RIDGE = 12.0
#: Shapes of faces turned further than this teach nothing about proportions, radians.
TURNED = 0.6


class Pool:
    """The pooled shape basis of all schools.

    mean: (1434,), basis: (K, 1434) scaled to one standard deviation, reader: (K, 1434).
    """

    def __init__(self, shapes: Floats, frame: Frame) -> None:
        """shapes: (N, 478, 3), deviations from the canonical mean, of every school."""
        flat = shapes.reshape(len(shapes), -1).astype(np.float64)
        self.mean = flat.mean(axis=0)
        weight = np.repeat(np.maximum(steadiness(frame), 1e-5), 3).astype(np.float64)
        root = np.sqrt(weight)
        _, s, vt = np.linalg.svd((flat - self.mean) * root, full_matrices=False)
        count = min(COMPONENTS, len(s) - 1)
        scale = s[:count] / np.sqrt(len(flat) - 1)
        codes = (flat - self.mean) * root @ vt[:count].T / scale
        # lips and lids follow what the steady markers say, as far as they do at all
        self.basis = np.linalg.lstsq(codes, flat - self.mean, rcond=None)[0]
        # read together with what a face can do, so that a smile is not taken for a wide mouth
        moved = expressions(frame)  # (E, 1434)
        seen = (np.concatenate([self.basis, moved]) * root).T  # (1434, K + E)
        ridge = np.zeros(seen.shape[1])
        ridge[:count] = READ_RIDGE * np.square(seen[:, :count]).sum() / count
        ridge[count:] = 1e-6 * np.square(seen[:, count:]).sum()
        reader = np.linalg.solve(seen.T @ seen + np.diag(ridge), (seen * root[:, None]).T)
        self.reader = reader[:count]

    def read(self, shapes: Floats) -> Floats:
        """Proportions of shapes: (N, 478, 3) -> (N, K), about zero mean and unit deviation."""
        flat = shapes.reshape(len(shapes), -1)
        return (flat - self.mean) @ self.reader.T


def expressions(frame: Frame) -> Floats:
    """What a face does, as changes of its shape: (E, 1434) float64."""
    doing = (
        [Pose(jaw=angle) for angle in (0.12, 0.3)]
        + [Pose(smile=-1.0), Pose(smile=1.0), Pose(pucker=-1.0), Pose(pucker=1.0)]
        + [Pose(brows=-1.0), Pose(brows=1.0)]
        + [Pose(lids=1.0), Pose(jaw=0.2, smile=0.7), Pose(jaw=0.15, pucker=0.8)]
    )
    return changes(frame, doing).reshape(len(doing), -1).astype(np.float64)


def changes(frame: Frame, doing: Sequence[Pose]) -> Floats:
    """How a face that is at rest changes its shape to do something: (E, 478, 3) float32."""
    puppet = make_puppet(frame, np.zeros(PROPORTIONS))
    still, *moved = (
        remove_pose(puppet.face(pose).astype(np.float32), 1.0, frame)[1]
        for pose in (Pose(), *doing)
    )
    return np.stack([shape - still for shape in moved])


def root_of(matrix: Floats) -> Floats:
    """The symmetric square root of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 1e-9))) @ vectors.T


def transport(from_cov: Floats, to_cov: Floats) -> Floats:
    """The optimal transport map between centred Gaussians, a symmetric matrix (K, K)."""
    root = root_of(from_cov)
    back = np.linalg.inv(root)
    return back @ root_of(root @ to_cov @ root) @ back


def learn_geometry(
    pool: Pool, shapes: Floats, poses: Floats, codes: Floats, pooled: Floats
) -> SchoolGeometry:
    """One school's geometry.

    shapes: (N, 478, 3) of this school. poses: (N, 3). codes: (N, 48) whitened appearance of the
    same portraits. pooled: (M, K) proportions of all schools.
    """
    read = pool.read(shapes)
    all_cov = np.cov(pooled.T)
    mean = (1 - SHRINK) * read.mean(axis=0) + SHRINK * pooled.mean(axis=0)
    cov = (1 - SHRINK) * np.cov(read.T) + SHRINK * all_cov
    bend = transport(all_cov, cov) - np.eye(len(cov))
    shift = mean - pooled.mean(axis=0)
    values, vectors = np.linalg.eigh(cov)
    axes = (vectors * np.sqrt(np.maximum(values, 0))).T[::-1] @ pool.basis  # (K, 1434)
    return SchoolGeometry(
        mean=_shape(pool.mean + mean @ pool.basis),
        basis=_shape(axes),
        pose_scale=np.minimum(poses.std(axis=0), (0.45, 0.2, 0.15)).astype(np.float32),
        reader=pool.reader.astype(np.float32),
        accent=(pool.basis.T @ bend).astype(np.float32),
        accent_shift=((shift - bend @ pooled.mean(axis=0)) @ pool.basis).astype(np.float32),
        expects=_expect(read, codes).astype(np.float32),
    )


def _shape(flat: Floats) -> Floats:
    return flat.reshape(flat.shape[:-1] + (MARKERS, 3)).astype(np.float32)


def _expect(proportions: Floats, codes: Floats) -> Floats:
    """Ridge regression proportions -> appearance, its answers stretched to the shell of codes.

    So few portraits explain little of the appearance: unstretched, every visitor would be shown
    the school's mean face. Stretched, the same proportions always call up the same painted person.
    """
    k = proportions - proportions.mean(axis=0)
    gram = k.T @ k + EXPECT_RIDGE * np.eye(k.shape[1])
    answer = np.linalg.solve(gram, k.T @ codes)  # (K, 48)
    reached = np.sqrt(np.mean(np.sum((k @ answer) ** 2, axis=1)))
    wanted = np.sqrt(np.mean(np.sum(codes**2, axis=1)))
    return answer * (wanted / max(float(reached), 1e-6))
