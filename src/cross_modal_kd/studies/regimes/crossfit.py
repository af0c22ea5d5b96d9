"""Cross-fitting: what the teacher says of a training sample, by a projection that has not seen it (imports torch)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.config import ArmsConfig, ProjectionConfig, TaskConfig
from cross_modal_kd.models import ModelBundle, nearest_prototype, project
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import CrossfitStudy
from cross_modal_kd.studies.regimes.projections import projection_key, refit
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import labelled_part

KIND = "mlp"


def folds_of(rows: pd.DataFrame, task: TaskConfig, folds: int, seed: int) -> np.ndarray:
    """The fold of each row: whole labels for verification, whole groups for classification, equally many to a fold.

    Args:
        rows: n rows of the samples table.
        task: its kind says what a cluster is.
        folds: how many, 2 or more.
        seed: of the draw of clusters into folds.

    Returns:
        (n,) integers from 0 to folds - 1; folds differ by one cluster at most.

    Raises:
        ValueError: fewer clusters than folds.
    """
    codes, names = pd.factorize(kind_of(task).clusters(rows), sort=True)
    if len(names) < folds:
        raise ValueError(f"regimes.crossfit.folds: {folds} folds of {len(names)} training clusters; take fewer folds")
    order = np.random.default_rng(seed).permutation(len(names))
    return (order % folds)[codes]


def aligned(values: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """values R, with the orthogonal R (d, d) that brings ``source`` nearest to ``target`` (Procrustes).

    Projections that were fitted apart agree in their geometry and not in their coordinates; R keeps the one and settles
    the other.

    Args:
        values: (m, d), in the coordinates of ``source``.
        source: (n, d), samples that both projections have seen, by the one.
        target: (n, d), the same samples by the other.

    Returns:
        (m, d), in the coordinates of ``target``; lengths are kept.
    """
    left, _, right = np.linalg.svd(source.T @ target)
    return values @ (left @ right)


def out_of_fold(world: World, study: CrossfitStudy, store: Path) -> np.ndarray:
    """Projected embeddings of all M teacher samples, of training samples by a projection that has not seen them.

    A training sample is projected by the projection fitted without its fold, turned into the coordinates of the full
    one on the samples that both have seen; every other sample by the full one. Ours, beyond the source.

    Args:
        world: with the full projection and the raw teacher embeddings.
        study: number of folds and their seed.
        store: the folder of the study, where the projection of each fold is kept.

    Returns:
        (M, d), rows of length 1, in the order of the teacher's rows of the samples table.
    """
    rows = world.samples[world.samples["modality"] == world.task.teacher]
    raw = world.teacher_embeddings.at(rows["sample_id"])
    values = project(world.projections[KIND], raw)
    train = (rows["split"] == "train").to_numpy()
    fold = np.full(len(rows), -1)
    fold[train] = folds_of(rows[train], world.task, study.folds, study.seed)
    cluster = kind_of(world.task).clusters(rows)
    full = values.copy()
    for number in range(study.folds):
        inside, outside = train & (fold != number), fold == number
        part = labelled_part(world.samples, world.task, set(cluster[inside]))
        varied = {"folds": study.folds, "seed": study.seed, "fold": number}
        fitted = refit(world, part, world.teacher_embeddings, {KIND}, varied, store)[KIND]
        values[outside] = aligned(project(fitted, raw[outside]), project(fitted, raw[inside]), full[inside])
    return values


def taken_as_it_is(projection: ModelBundle) -> ModelBundle:
    """A projection that leaves its input, projected already, where it is.

    Args:
        projection: the trainable one, into d dimensions; its prototypes and classes are taken over.

    Returns:
        A fixed (``pca``) projection from d to d dimensions: mean 0, the identity for its matrix.
    """
    config = ProjectionConfig(**projection.config["projection"]).model_copy(update={"kind": "pca"})
    tensors = {
        "head.mean": torch.zeros(config.dim),
        "head.linear.weight": torch.eye(config.dim),
        "weight": torch.as_tensor(projection.tensors["weight"]),
    }
    about = {"in_dim": config.dim, "classes": projection.config["classes"], "projection": config.model_dump()}
    return ModelBundle(projection.kind, about, tensors)


def through_fitted_projection(world: World) -> World:
    """The world with all arms bound through the trainable projection as fitted: no other is there to cross-fit.

    Args:
        world: of any arms.

    Returns:
        The world, each of its arms with ``projection: mlp`` and ``joint: false``.
    """
    fitted = {
        name: arm.model_copy(update={"projection": KIND, "joint": False}) for name, arm in world.arms.root.items()
    }
    return world.with_arms(ArmsConfig.model_construct(fitted))


def conditions(world: World, study: CrossfitStudy, store: Path) -> Iterator[Condition]:
    """In-sample and out-of-fold teachers.

    Args:
        world: one that is ``through_fitted_projection``.
        study: number of folds and their seed.
        store: the folder of the study, where the projection of each fold is kept.

    Yields:
        ``in-sample``, value 0, then ``out-of-fold``, value 1. Fact: teacher_error_train, the error rate in [0, 1] of
        what the students are shown of the training samples.
    """
    rows = world.samples[world.samples["modality"] == world.task.teacher]
    train = (rows["split"] == "train").to_numpy()
    labels, projection = rows.loc[train, "label"], world.projections[KIND]
    inside = project(projection, world.teacher_embeddings.at(rows["sample_id"]))
    outside = out_of_fold(world, study, store)
    plain = Condition.of(world, "in-sample", 0.0)
    yield replace(plain, facts={"teacher_error_train": _error(world, projection, inside[train], labels)})
    yield Condition.of(
        world,
        "out-of-fold",
        1.0,
        varied={"folds": study.folds, "fold_seed": study.seed, "projection": projection_key(world)},
        data=replace(world.data, teacher=replace(world.data.teacher, embeddings=torch.from_numpy(outside).float())),
        bound_through={KIND: taken_as_it_is(projection)},
        alone=plain,
        facts={"teacher_error_train": _error(world, projection, outside[train], labels)},
    )


def _error(world: World, projection: ModelBundle, projected: np.ndarray, labels: pd.Series) -> float:
    """Of the projected teacher on training samples: what the student is shown, against the truth."""
    classes = projection.config["classes"]
    nearest = partial(nearest_prototype, projection, projected)
    return kind_of(world.task).measure_error(projected, labels, classes, nearest)
