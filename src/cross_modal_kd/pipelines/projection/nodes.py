"""The projection of the teacher, with the prototypes of the teacher's classifier."""

import logging
from typing import NamedTuple

import numpy as np
import pandas as pd

from cross_modal_kd.config import DistillationConfig, ProjectionConfig, TaskConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable, split_rows
from cross_modal_kd.tasks import kind_of

logger = logging.getLogger(__name__)


class Projections(NamedTuple):
    """Both projections, their dev metrics, and both fits, a row an epoch."""

    projection_mlp: ModelBundle
    projection_pca: ModelBundle
    projection_metrics: dict
    projection_history: pd.DataFrame


def fit_projections(
    samples: pd.DataFrame,
    task: TaskConfig,
    teacher_embeddings: EmbeddingTable,
    projection: ProjectionConfig,
    distillation: DistillationConfig,
    teacher_model: ModelBundle,
) -> Projections:
    """The trainable projection, the fixed one (PCA) beside it, both measured on dev, and how they were fitted.

    Args:
        samples: the table, with its splits.
        task: its kind, whose metric chooses the epoch, and the teacher's modality.
        teacher_embeddings: raw, of every training and dev sample of that modality.
        projection: dimension and training; its ``kind`` is not read.
        distillation: ``labelled``, by which labels they are fitted; without any, neither is trained, and both are
            without prototypes, or, in a classification, have the words of its classes for them.
        teacher_model: the frozen teacher, which is asked for these words.

    Returns:
        The trainable projection and the fixed one, with their prototypes; {mlp, pca: {dev metric: best value, None
        where it is not defined}}; and a table: epoch (from 0, before training), loss, dev (larger is better: of an EER
        the negative), projection (mlp or pca).
    """
    from cross_modal_kd.training import (
        class_words,
        fit_projection,
        hold_labels_back,
        no_better_than_chance,
        told_by_teacher,
    )

    judged, known = kind_of(task), hold_labels_back(samples, task, distillation.labelled)
    if distillation.labelled.share < 1 and (warning := told_by_teacher(teacher_model)):
        logger.warning(warning)
    words = class_words(samples, known, task, teacher_model)
    bundles, metrics, histories = {}, {}, []
    for kind in ("mlp", "pca"):
        config = projection.model_copy(update={"kind": kind})
        bundle, history = fit_projection(known, task, teacher_embeddings, config, words)
        bundles[kind] = bundle
        best = history["dev"].max() if judged.larger_is_better else -history["dev"].max()
        metrics[kind] = {judged.dev_metric: None if np.isinf(best) else float(best)}
        histories.append(history.assign(projection=kind))
    dev = split_rows(samples, task.teacher, "dev")
    if words is not None and (warning := no_better_than_chance(words, metrics["pca"][judged.dev_metric], len(dev))):
        logger.warning(warning)
    history = pd.concat(histories, ignore_index=True)
    return Projections(bundles["mlp"], bundles["pca"], projection_metrics=metrics, projection_history=history)
