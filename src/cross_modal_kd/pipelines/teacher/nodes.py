"""The teacher: its encoder, its embeddings (computed once), and how good they are on the dev split."""

from pathlib import Path

import pandas as pd

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable


def prepare_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher: TeacherConfig,
    checkpoints: Path,
) -> ModelBundle:
    """A pretrained encoder as it is, or one trained with AAM-softmax on the teacher's training samples."""
    from cross_modal_kd.training.teacher import pretrained_teacher, train_teacher

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
) -> EmbeddingTable:
    """Embeddings of every sample of the teacher's modality, taken from the cache where nothing has changed."""
    from cross_modal_kd.training.teacher import embed_teacher

    return embed_teacher(samples, task, sources, inputs, teacher_model, embedding_cache, training.accelerator)


def measure_on_dev(samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable) -> dict:
    """How good the teacher's raw embeddings are on the dev split."""
    from cross_modal_kd.training.teacher import measure_teacher

    return measure_teacher(samples, task, teacher_embeddings)
