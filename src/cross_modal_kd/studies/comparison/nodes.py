"""The arms side by side, on the same data, seeds and budget."""

from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.selection import split_rows
from cross_modal_kd.studies.comparison.config import ComparisonConfig
from cross_modal_kd.tasks.dev import chosen_by


def draw_trials(samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig) -> pd.DataFrame:
    """The verification trials that all arms are compared on; none for classification."""
    from cross_modal_kd.evaluation.protocol import make_trials

    return make_trials(samples, task, evaluation)


def train_arms(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    student: StudentConfig,
    training: TrainingConfig,
    arms: ArmsConfig,
    comparison: ComparisonConfig,
    evaluation: EvaluationConfig,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    sample_weights: pd.DataFrame,
    comparison_store: Path,
) -> list:
    """Every arm x head x seed; those that are in the store already are taken from there. Returns the outcomes."""
    from cross_modal_kd.evaluation.embed import embed_samples
    from cross_modal_kd.studies.comparison.grid import comparison_jobs
    from cross_modal_kd.studies.grid import Job, refresh_embeddings, run_grid
    from cross_modal_kd.tasks.subset import train_subset
    from cross_modal_kd.training.run_key import data_fingerprint
    from cross_modal_kd.training.student import read_arm_data, train_arm

    jobs = comparison_jobs(comparison, arms, student, training)
    projections = {"mlp": projection_mlp, "pca": projection_pca}
    data = read_arm_data(samples, task, sources, inputs, teacher_embeddings, sample_weights)

    def train(job: Job, checkpoint: Path) -> tuple[ModelBundle, pd.DataFrame]:
        projection = projections[job.config.projection]
        return train_arm(data, job.student, job.training, job.config, projection, name=job.arm, checkpoint=checkpoint)

    def embed(job: Job, trained: ModelBundle) -> EmbeddingTable:
        return embed_samples(samples, task, sources, trained, evaluation)

    fingerprint = data_fingerprint(samples, task, inputs, teacher_embeddings, projections, sample_weights)
    outcomes = run_grid(jobs, comparison_store, fingerprint, train, embed)
    seen = train_subset(split_rows(samples, task.student, "train"), task, evaluation)
    unseen = samples[(samples["modality"] == task.student) & (samples["split"] != "train")]
    refresh_embeddings(outcomes, [*seen["sample_id"], *unseen["sample_id"]], embed)
    return outcomes


def compare_arms(
    samples: pd.DataFrame,
    task: TaskConfig,
    arms: ArmsConfig,
    comparison: ComparisonConfig,
    evaluation: EvaluationConfig,
    trials: pd.DataFrame,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    arm_outcomes: list,
) -> tuple[pd.DataFrame, Any, Any, Any]:
    """The table, and its three pictures: forest, training curves, distances to the teacher."""
    from tqdm import tqdm

    from cross_modal_kd.evaluation.protocol import arm_figures, protocol
    from cross_modal_kd.models.student import own_projection
    from cross_modal_kd.studies.comparison.plots import curves_figure, distances_figure, forest_figure
    from cross_modal_kd.studies.comparison.table import by_arm, comparison_table

    resampling = evaluation.model_copy(update={"bootstrap": comparison.bootstrap, "level": comparison.level})
    embedded = arm_outcomes[0].embeddings
    settings = {
        kind: protocol(samples, task, resampling, trials, teacher_embeddings, projection, embedded)
        for kind, projection in {"mlp": projection_mlp, "pca": projection_pca}.items()
    }
    figures = []
    for outcome in tqdm(arm_outcomes, desc="measuring the arms", leave=False):
        student, setting = outcome.student, settings[outcome.job.config.projection]
        moved = own_projection(student)
        if moved is not None:
            setting = protocol(samples, task, resampling, trials, teacher_embeddings, moved, embedded)
        figures.append(arm_figures(setting, student, outcome.embeddings))
    table = comparison_table(by_arm(arm_outcomes, figures), task.kind, comparison, arms)
    return table, forest_figure(table), curves_figure(arm_outcomes, chosen_by(task)), distances_figure(table)
