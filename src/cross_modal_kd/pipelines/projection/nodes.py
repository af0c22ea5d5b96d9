"""The projection of the teacher, with the prototypes of the teacher's classifier."""

from typing import NamedTuple

import pandas as pd

from cross_modal_kd.config import DistillationConfig, ProjectionConfig, TaskConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable


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
    from cross_modal_kd.training import fit_both

    bundles, metrics, history = fit_both(
        samples, task, teacher_embeddings, projection, distillation.labelled, teacher_model
    )
    return Projections(bundles["mlp"], bundles["pca"], projection_metrics=metrics, projection_history=history)
