"""The projection fitted again, and what the teacher is worth then (imports torch: reached from nodes only)."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.config import ConfigError
from cross_modal_kd.evaluation import projected_teacher, teacher_metrics
from cross_modal_kd.models import ModelBundle, load_bundle, nearest_prototype, project, save_bundle
from cross_modal_kd.samples import EmbeddingTable, split_rows
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import fit_projection, run_key


def projection_key(world: World) -> str:
    """What the configuration of the projections comes to, for conditions under which they are fitted again.

    Args:
        world: its block ``projection`` counts, and the version of the code that fits.

    Returns:
        A run key, 16 hexadecimal digits.
    """
    return run_key("projection", configuration=world.configuration.projection)


def refit(
    world: World,
    samples: pd.DataFrame,
    embeddings: EmbeddingTable,
    kinds: set[str],
    varied: Mapping[str, Any],
    store: Path,
) -> dict[str, ModelBundle]:
    """Projections of the given kinds, fitted on those samples and embeddings, and the words of the classes beside.

    They are kept in ``store``, so that a study that goes on later meets the same ones.

    Args:
        world: gives task and configuration.
        samples: the samples table, or the part of it whose training samples may be seen.
        embeddings: raw, (N, D), of all teacher samples among them.
        kinds: some of ``mlp`` and ``pca``.
        varied: what makes it another fit than the unchanged task's, by name; part of the run key.
        store: the folder of the study; fits lie in its ``projections``.

    Returns:
        Fitted projections, by kind.

    Raises:
        ConfigError: words are to stand beside labels, and the embeddings are not the world's own, but damaged.
    """
    if (beside := world.configuration.projection.words) and embeddings is not world.teacher_embeddings:
        raise ConfigError(
            f"projection.words is {beside}, and the undamaged teacher would read the words of the classes for "
            "regimes.teacher: set it to 0 there"
        )
    fitted, words = {}, world.words_beside(samples)
    for kind in sorted(kinds):
        config = world.configuration.projection.model_copy(update={"kind": kind})
        key = run_key(
            "projection", data=world.fingerprint, embeddings=embeddings, condition=varied, configuration=config
        )
        folder = store / "projections" / f"{kind}-{key}"
        if not folder.is_dir():
            save_bundle(folder, fit_projection(samples, world.task, embeddings, config, words)[0])
        fitted[kind] = load_bundle(folder, ["projection"])
    return fitted


def teacher_facts(world: World, embeddings: EmbeddingTable, projection: ModelBundle) -> dict[str, float]:
    """Error of the projected teacher by itself, on dev and on test.

    Args:
        world: gives samples, task and how it is measured.
        embeddings: raw, of all dev and test samples of the teacher's modality.
        projection: into the student's space, with prototypes.

    Returns:
        teacher_error_dev and teacher_error_test: error rates in [0, 1]; NaN where the teacher has none.
    """
    kind, classes = kind_of(world.task), projection.config["classes"]
    teacher = projected_teacher(world.samples, world.task, embeddings, projection)
    on_test = teacher_metrics([teacher], world.task, world.configuration.evaluation).metrics
    value = on_test[kind.metric].value if kind.metric in on_test else np.nan
    dev = split_rows(world.samples, world.task.teacher, "dev")
    projected = project(projection, embeddings.at(dev["sample_id"]))
    nearest = partial(nearest_prototype, projection, projected)
    return {
        "teacher_error_dev": kind.measure_error(projected, dev["label"], classes, nearest),
        "teacher_error_test": float(kind.as_errors(np.array(value))),
    }
