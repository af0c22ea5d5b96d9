"""Eight studies of when distillation pays; thin nodes over the files beside this one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.quality import QualityConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.studies.regimes.config import RegimesConfig
from cross_modal_kd.studies.regimes.world import World


def gather_world(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    quality: QualityConfig,
    projection: ProjectionConfig,
    student: StudentConfig,
    training: TrainingConfig,
    arms: ArmsConfig,
    evaluation: EvaluationConfig,
    quality_measures: pd.DataFrame,
    teacher_model: ModelBundle,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    sample_weights: pd.DataFrame,
) -> World:
    """The task as it stands, for all studies."""
    return World(
        samples=samples,
        task=task,
        sources=sources,
        inputs=inputs,
        quality=quality,
        projection=projection,
        student=student,
        training=training,
        arms=arms,
        evaluation=evaluation,
        quality_measures=quality_measures,
        teacher_model=teacher_model,
        teacher_embeddings=teacher_embeddings,
        projection_mlp=projection_mlp,
        projection_pca=projection_pca,
        sample_weights=sample_weights,
    )


def study_labels(world: World, regimes: RegimesConfig, regimes_store: Path) -> tuple[pd.DataFrame, Any]:
    """Error over the share of labelled training samples; the remaining pairs serve without labels."""
    from cross_modal_kd.studies.regimes.labels import conditions
    from cross_modal_kd.studies.regimes.plots import study_figure
    from cross_modal_kd.studies.regimes.sweep import kinds_of, train_and_measure

    study = regimes.labels
    settings = conditions(world, study, kinds_of(world, study.arms), regimes_store)
    table = train_and_measure(world, regimes, "labels", settings, study.arms, regimes_store)
    note = "" if world.task.pairing == "instance" else "Pairs are made by label: a pair tells the class of both."
    return table, study_figure(
        table, "Few labels, all pairs", "labelled share of the training split", "value", "{:.0%}", note
    )


def study_teacher(world: World, regimes: RegimesConfig, regimes_store: Path) -> tuple[pd.DataFrame, Any]:
    """Error over the teacher's own error, from the teacher as it stands to some weaker than the student."""
    from cross_modal_kd.studies.regimes.plots import study_figure
    from cross_modal_kd.studies.regimes.sweep import kinds_of, train_and_measure
    from cross_modal_kd.studies.regimes.teachers import conditions

    study = regimes.teacher
    settings = conditions(world, study, kinds_of(world, study.arms), regimes_store)
    table = train_and_measure(world, regimes, "teacher", settings, study.arms, regimes_store)
    known = table["teacher_error_test"].notna().all()
    label = "the projected teacher's own test error, %" if known else "teacher"
    shown = table.assign(teacher_error_percent=100 * table["teacher_error_test"])
    figure = study_figure(
        shown, "Weaker teachers", label, "teacher_error_percent" if known else None, as_weak=regimes.baseline
    )
    return table, figure


def study_noise(world: World, regimes: RegimesConfig, regimes_store: Path) -> tuple[pd.DataFrame, Any]:
    """Trained on partly damaged inputs, measured on clean and on damaged test inputs."""
    from cross_modal_kd.studies.regimes.noise import condition, embed_damaged
    from cross_modal_kd.studies.regimes.plots import study_figure
    from cross_modal_kd.studies.regimes.sweep import rows_of, train_all

    study = regimes.noise
    (trained,) = train_all(world, [condition(world, study)], study.arms, regimes.seeds, regimes_store)
    clean = rows_of(world, regimes, "noise", trained, "clean test")
    damaged = rows_of(world, regimes, "noise", trained, "damaged test", embed_damaged(world, study))
    table = pd.concat([clean, damaged], ignore_index=True)
    heading = f"{study.share:.0%} of the training inputs damaged"
    return table, study_figure(table, heading, "test inputs")


def study_width(world: World, regimes: RegimesConfig, regimes_store: Path) -> tuple[pd.DataFrame, Any]:
    """Error over the width of the student."""
    from cross_modal_kd.studies.regimes.plots import study_figure
    from cross_modal_kd.studies.regimes.sweep import train_and_measure
    from cross_modal_kd.studies.regimes.width import conditions

    study = regimes.width
    table = train_and_measure(world, regimes, "width", conditions(world, study), study.arms, regimes_store)
    return table, study_figure(table, "Width of the student", "width of the encoder", "value", "x {:.3g}")


def study_length(world: World, regimes: RegimesConfig, regimes_store: Path) -> tuple[pd.DataFrame, Any]:
    """Error over the length of the training: does the gain outlast a student that is given its time?"""
    from cross_modal_kd.studies.regimes.length import conditions
    from cross_modal_kd.studies.regimes.plots import study_figure
    from cross_modal_kd.studies.regimes.sweep import train_and_measure

    study = regimes.length
    table = train_and_measure(world, regimes, "length", conditions(world, study), study.arms, regimes_store)
    return table, study_figure(table, "Length of the training", "epochs", "epochs", "{:.0f}")


def study_weight(world: World, regimes: RegimesConfig, regimes_store: Path) -> tuple[pd.DataFrame, Any]:
    """Error over the weight of the constraints, hard beside soft: how much of the teacher is too much?"""
    from cross_modal_kd.studies.regimes.plots import study_figure
    from cross_modal_kd.studies.regimes.sweep import train_and_measure
    from cross_modal_kd.studies.regimes.weight import conditions

    study = regimes.weight
    table = train_and_measure(world, regimes, "weight", conditions(world, study), study.arms, regimes_store)
    return table, study_figure(table, "Weight of the constraints", "weight, times the arm's own", "value", "x {:g}")


def study_variants(world: World, regimes: RegimesConfig, regimes_store: Path) -> tuple[pd.DataFrame, Any]:
    """Reducers, margins and a moving head, side by side."""
    from cross_modal_kd.studies.regimes.condition import as_it_stands
    from cross_modal_kd.studies.regimes.plots import study_figure
    from cross_modal_kd.studies.regimes.sweep import train_and_measure

    study = regimes.variants
    plain = as_it_stands(world, "as it stands", 0.0)
    table = train_and_measure(world, regimes, "variants", [plain], study.arms, regimes_store)
    return table, study_figure(table, "Variants of the soft constraint", "the task as it stands")


def study_crossfit(world: World, regimes: RegimesConfig, regimes_store: Path) -> tuple[pd.DataFrame, Any]:
    """Error with a teacher that has seen the training sample, and with one that has not."""
    from cross_modal_kd.studies.regimes.crossfit import conditions, through_fitted_head
    from cross_modal_kd.studies.regimes.plots import study_figure
    from cross_modal_kd.studies.regimes.sweep import train_and_measure

    study = regimes.crossfit
    world = replace(world, arms=through_fitted_head(world.arms))
    settings = conditions(world, study, regimes_store)
    table = train_and_measure(world, regimes, "crossfit", settings, study.arms, regimes_store)
    return table, study_figure(table, "Cross-fitting", "what the teacher says of a training sample")


def join_studies(**studies: pd.DataFrame) -> pd.DataFrame:
    """All studies in one table; a column that a study has not is empty there."""
    return pd.concat(list(studies.values()), ignore_index=True)
