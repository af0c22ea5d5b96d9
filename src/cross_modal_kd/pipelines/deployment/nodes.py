"""The students as they are put to use: thresholds, quality, teacher's side, one folder each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import (
    ArmsConfig,
    DeploymentConfig,
    IngestionConfig,
    QualityConfig,
    SourcesConfig,
    TaskConfig,
    TrainingConfig,
)
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable

# Kedro reads the hints when it loads the pipelines, and these types' room imports torch
TeacherSide = Any  # student.TeacherSide
QualityReference = Any  # student.QualityReference
Equipment = Any  # student.Equipment
PackagedStudent = Any  # student.PackagedStudent


def gather_teacher_side(
    samples: pd.DataFrame,
    task: TaskConfig,
    teacher_model: ModelBundle,
    teacher_embeddings: EmbeddingTable,
    projection: ModelBundle,
    deployment: DeploymentConfig,
) -> TeacherSide:
    """The teacher's side of the common space.

    Args:
        samples: the table, with its splits.
        task: names the teacher's modality, and what pairs samples.
        teacher_model: its encoder.
        teacher_embeddings: raw, of every training sample of that modality.
        projection: of ``choose_projection``.
        deployment: ``teacher_items`` and ``seed``.

    Returns:
        Encoder, projection, and the projected training items.
    """
    from cross_modal_kd.student import make_teacher_side

    return make_teacher_side(samples, task, teacher_model, teacher_embeddings, projection, deployment)


def rank_quality(
    samples: pd.DataFrame,
    task: TaskConfig,
    quality_measures: pd.DataFrame,
    quality: QualityConfig,
    deployment: DeploymentConfig,
) -> QualityReference:
    """What a new input's quality is ranked among: the training samples, of whatever domain.

    Args:
        samples: the table, with its splits.
        task: names the student's modality.
        quality_measures: of every sample.
        quality: which measures count, and how they are combined.
        deployment: ``poor_below``.

    Returns:
        The ranks.
    """
    from cross_modal_kd.student import fit_quality

    return fit_quality(samples, quality_measures, task, quality, deployment.poor_below)


def gather_equipment(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    teacher_side: TeacherSide,
    quality_reference: QualityReference,
    deployment: DeploymentConfig,
) -> Equipment:
    """What both students take along.

    Args:
        samples: the table, with its splits.
        task: names the student's modality.
        sources: where the files lie.
        teacher_side: of ``gather_teacher_side``.
        quality_reference: of ``rank_quality``.
        deployment: ``examples`` and ``seed``.

    Returns:
        Both, and files of a few dev samples.
    """
    from cross_modal_kd.student import equip

    return equip(samples, task, sources, teacher_side, quality_reference, deployment)


def package_as(role: str) -> Callable[..., PackagedStudent]:
    """The packaging of a student.

    Args:
        role: student_alone or distilled.

    Returns:
        The node's function; its inputs are described there.
    """

    def package_student(
        samples: pd.DataFrame,
        student: ModelBundle,
        embeddings: EmbeddingTable,
        operating: dict,
        equipment: Equipment,
        deployment: DeploymentConfig,
        training: TrainingConfig,
        arm: str,
    ) -> PackagedStudent:
        """One student with all that it needs to work alone.

        Args:
            samples: the table, with its splits.
            student: the network with its classifier.
            embeddings: its own, of training samples among others: those are what it finds nearest neighbours in.
            operating: of ``find_thresholds``.
            equipment: of ``gather_equipment``.
            deployment: ``training_items`` and ``seed``.
            training: ``seed``, which is noted.
            arm: that it was trained as.

        Returns:
            The content of its folder.
        """
        from cross_modal_kd.student import Operating, make_package, training_space

        about = {"role": role, "arm": arm, "seed": training.seed}
        nearest = training_space(samples, equipment.task, student, embeddings, deployment)
        return make_package(student, Operating.model_validate(operating), equipment, nearest, about)

    return package_student


def write_card(
    assembled: PackagedStudent,
    metrics: dict,
    split_summary: pd.DataFrame,
    sources: SourcesConfig,
    ingestion: IngestionConfig,
    arms: ArmsConfig,
    reporting_folder: Path,
) -> PackagedStudent:
    """The student with its model card, README.md of its folder.

    Args:
        assembled: of ``package_student``.
        metrics: what was measured.
        split_summary: how many samples, by source and split.
        sources: whose licences are stated.
        ingestion: how samples were split.
        arms: the student's among them.
        reporting_folder: where the commands, seeds and commits of the run are noted, and robustness if it was measured.

    Returns:
        The content of its folder.
    """
    from cross_modal_kd.student import gather_evidence, with_card

    evidence = gather_evidence(assembled, metrics, split_summary, sources, ingestion, arms, reporting_folder)
    return with_card(assembled, evidence)
