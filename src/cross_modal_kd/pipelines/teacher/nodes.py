"""The teacher: its encoder, its embeddings (computed once), and how good they are on the dev split."""

from pathlib import Path

import pandas as pd

from cross_modal_kd.config import ComputeConfig, InputConfig, SourcesConfig, TaskConfig, TeacherConfig, TrainingConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable


def prepare_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher: TeacherConfig,
    checkpoints: Path,
) -> ModelBundle:
    """A pretrained encoder as it is, or one trained with AAM-softmax on the teacher's training samples.

    Args:
        samples: the table, with its splits.
        task: names the teacher's modality.
        sources: where the files lie.
        inputs: how the teacher's inputs are read.
        teacher: its encoder, whether that is pretrained, and its training where not.
        checkpoints: folder of the file that an interrupted training goes on from.

    Returns:
        The teacher, of kind ``pretrained`` or ``student`` (trained: encoder, embedding and classifier); without tensors
        where the library keeps the weights.
    """
    from cross_modal_kd.training import pretrained_teacher, train_teacher

    if teacher.pretrained:
        return pretrained_teacher(teacher, inputs)
    return train_teacher(samples, task, sources, inputs, teacher, checkpoints)


def embed_with_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher_model: ModelBundle,
    embedding_cache: Path,
    training: TrainingConfig,
    compute: ComputeConfig,
) -> EmbeddingTable:
    """Embeddings of every sample of the teacher's modality, taken from the cache where nothing has changed.

    Args:
        samples: the table.
        task: names the teacher's modality.
        sources: where the files lie.
        inputs: how the teacher's inputs are read.
        teacher_model: of ``prepare_teacher``.
        embedding_cache: folder with a folder for each fingerprint of weights, inputs and samples; written to.
        training: ``accelerator``, the device to embed on.
        compute: who embeds.

    Returns:
        (N, D) by sample id, as the encoder gives them.
    """
    from cross_modal_kd.compute import engine_of
    from cross_modal_kd.training import embed_teacher

    about = (task, sources, inputs, teacher_model, embedding_cache, training.compute.accelerator)
    return embed_teacher(samples, *about, engine_of(compute))


def average_views(
    teacher_views: EmbeddingTable, samples: pd.DataFrame, quality_scores: pd.DataFrame, teacher: TeacherConfig
) -> EmbeddingTable:
    """The embeddings as they are, or with ``teacher.views: averaged`` those of each instance as one.

    Args:
        teacher_views: of ``embed_with_teacher``.
        samples: the table: what is one instance.
        quality_scores: by which the views of one are weighed.
        teacher: ``views``.

    Returns:
        (N, D) by sample id.
    """
    from cross_modal_kd.quality import average_views as averaged

    return averaged(teacher_views, samples, quality_scores) if teacher.views == "averaged" else teacher_views


def measure_on_dev(samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable) -> dict:
    """How good the teacher's raw embeddings are on the dev split.

    Args:
        samples: the table, with its splits.
        task: its kind, whose metric is taken, and the teacher's modality.
        teacher_embeddings: of ``embed_with_teacher``.

    Returns:
        dimension D, samples N, fingerprint, and the dev metric in [0, 1], None where it is not defined.
    """
    from cross_modal_kd.training import measure_teacher

    return measure_teacher(samples, task, teacher_embeddings)
