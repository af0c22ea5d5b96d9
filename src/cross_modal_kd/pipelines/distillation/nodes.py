"""Training a student under one arm."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.config import (
    ArmsConfig,
    DistillationConfig,
    InputConfig,
    SourcesConfig,
    StudentConfig,
    TaskConfig,
    TrainingConfig,
)
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable

# Kedro reads the hints when it loads the pipelines, and these types' rooms import torch
Pairs = Any  # training.student.ArmData


class Trained(NamedTuple):
    """A student, and its training, a row an epoch."""

    student: ModelBundle
    history: pd.DataFrame


def gather_pairs(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher_embeddings: EmbeddingTable,
    sample_weights: pd.DataFrame,
    arms: ArmsConfig,
    distillation: DistillationConfig,
) -> Pairs:
    """The student's training and dev inputs, the teacher's side of every pair, and the quality of both.

    How many training samples have a label is logged, where some have none.

    Args:
        samples: the table, with its splits.
        task: its modalities and its pairing.
        sources: where the files lie.
        inputs: how the student's inputs are read.
        teacher_embeddings: raw, of every sample of the teacher's modality.
        sample_weights: sample_id, quality_student and quality_teacher in [0, 1], of every training sample of the
            student.
        arms: all arms.
        distillation: names the two that are trained, and says which labels are known.

    Returns:
        What all arms share (``training.student.ArmData``), its inputs in memory.

    Raises:
        ConfigError: no training sample has a known label, and one of the two arms asks for some.
    """
    from cross_modal_kd.training import read_arm_data, require_trainable

    given = (samples, task, sources, inputs, teacher_embeddings, sample_weights)
    pairs = read_arm_data(*given, distillation.labelled)
    require_trainable(pairs, {name: arms.get(name) for name in (distillation.baseline, distillation.arm)})
    return pairs


def train_as(role: str) -> Callable[..., Trained]:
    """The training of a student, whose curves are tracked under the name of its role.

    Args:
        role: student_alone or distilled.

    Returns:
        The node's function; its inputs are described there.
    """

    def train_student(
        training_pairs: Pairs,
        projection_mlp: ModelBundle,
        projection_pca: ModelBundle,
        student: StudentConfig,
        training: TrainingConfig,
        arms: ArmsConfig,
        arm: str,
        checkpoints: Path,
    ) -> Trained:
        """The student of the arm of that name, best on dev, and its training, a row an epoch.

        Interrupted, it goes on from the last epoch when the same training is asked for again; finished in a run that
        was interrupted later, it is taken as it is.

        Args:
            training_pairs: of ``gather_pairs``.
            projection_mlp: the trainable projection, taken where the arm names it.
            projection_pca: the fixed one, taken where the arm names it.
            student: its network.
            training: its length, steps, seed and device.
            arms: all arms.
            arm: the name of the one to train.
            checkpoints: folder of the file to go on from, removed at the end.

        Returns:
            The student with its classifier, and a table: epoch (from 1), loss, its parts, the dev metric (null where
            dev was not looked at), lr, seconds.
        """
        from cross_modal_kd.training import train_arm_once

        chosen = (arm, arms.get(arm))
        projection = {"mlp": projection_mlp, "pca": projection_pca}[chosen[1].projection]
        given = (training_pairs, student, training, chosen, projection)
        return Trained(*train_arm_once(*given, role=role, checkpoints=checkpoints))

    return train_student
