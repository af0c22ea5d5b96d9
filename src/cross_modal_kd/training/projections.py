"""The trainable projection and the fixed one beside it, by the labels that a training is told."""

import logging

import numpy as np
import pandas as pd

from cross_modal_kd.config import KnownLabels, ProjectionConfig, TaskConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable, split_rows, train_classes
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training.labelled import hold_labels_back, told_by_teacher
from cross_modal_kd.training.named import class_words, no_better_than_chance
from cross_modal_kd.training.projection import fit_projection
from cross_modal_kd.training.teaching import require_told_apart

logger = logging.getLogger(__name__)


def fit_both(
    samples: pd.DataFrame,
    task: TaskConfig,
    teacher_embeddings: EmbeddingTable,
    projection: ProjectionConfig,
    labelled: KnownLabels,
    teacher_model: ModelBundle,
) -> tuple[dict[str, ModelBundle], dict[str, dict[str, float | None]], pd.DataFrame]:
    """Both kinds of projection, each measured on dev; warned is of a teacher that tells too much, or nothing.

    Args:
        samples: the table, with its splits.
        task: its kind, whose metric chooses the epoch, and the teacher's modality.
        teacher_embeddings: raw, of every training and dev sample of that modality.
        projection: dimension and training; its ``kind`` is not read.
        labelled: by which labels they are fitted.
        teacher_model: the frozen teacher, which is asked for the words of the classes where no label is told.

    Returns:
        {mlp, pca: the projection with its prototypes}; {mlp, pca: {dev metric: best value, None where it is not
        defined}}; a table of both fits: epoch (from 0, before training), loss, dev, projection.

    Raises:
        SamplesError: to the teacher all training samples are the same.
    """
    require_told_apart(samples, task, teacher_embeddings, teacher_model)
    judged, known = kind_of(task), hold_labels_back(samples, task, labelled)
    if labelled.share < 1 and (warning := told_by_teacher(teacher_model)):
        logger.warning(warning)
    words = class_words(samples, known, task, teacher_model, projection.words)
    bundles, metrics, histories = {}, {}, []
    for kind in ("mlp", "pca"):
        config = projection.model_copy(update={"kind": kind})
        bundles[kind], history = fit_projection(known, task, teacher_embeddings, config, words)
        best = history["dev"].max() if judged.larger_is_better else -history["dev"].max()
        metrics[kind] = {judged.dev_metric: None if np.isinf(best) else float(best)}
        histories.append(history.assign(projection=kind))
    dev = len(split_rows(samples, task.teacher, "dev"))
    alone = None if train_classes(known, task) else words
    if alone is not None and (warning := no_better_than_chance(alone, metrics["pca"][judged.dev_metric], dev)):
        logger.warning(warning)
    return bundles, metrics, pd.concat(histories, ignore_index=True)
