"""Training a student under one arm."""

import hashlib
from pathlib import Path

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.objective import DistillationConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable


def train_student(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    student: StudentConfig,
    training: TrainingConfig,
    arms: ArmsConfig,
    distillation: DistillationConfig,
    arm: str,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    sample_weights: pd.DataFrame,
    checkpoints: Path,
) -> tuple[ModelBundle, pd.DataFrame]:
    """The student of the arm of that name, best on dev, and its training, a row an epoch.

    Interrupted, it goes on from the last epoch when the same training is asked for again.
    """
    from cross_modal_kd.training.run_key import data_fingerprint
    from cross_modal_kd.training.student import read_arm_data, train_arm

    chosen = arms.get(arm)
    projection = {"mlp": projection_mlp, "pca": projection_pca}[chosen.projection]
    data = read_arm_data(samples, task, sources, inputs, teacher_embeddings, sample_weights)
    key = data_fingerprint(samples, task, inputs, teacher_embeddings, {"": projection}, sample_weights)
    key += "".join(config.model_dump_json() for config in (chosen, student, training))
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return train_arm(
        data,
        student,
        training,
        chosen,
        projection,
        name="student_alone" if arm == distillation.baseline else "distilled",
        checkpoint=checkpoints / f"{arm}-{digest}.safetensors",
    )
