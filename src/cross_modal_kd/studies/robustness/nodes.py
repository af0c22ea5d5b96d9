"""The students on damaged test samples; thin nodes over the files beside this one."""

from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.objective import DistillationConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.studies.comparison.config import ComparisonConfig
from cross_modal_kd.studies.robustness.config import RobustnessConfig


def choose_students(
    samples: pd.DataFrame,
    task: TaskConfig,
    inputs: InputConfig,
    student: StudentConfig,
    training: TrainingConfig,
    arms: ArmsConfig,
    distillation: DistillationConfig,
    comparison: ComparisonConfig,
    robustness: RobustnessConfig,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    sample_weights: pd.DataFrame,
    comparison_store: Path,
    student_alone: ModelBundle,
    distilled: ModelBundle,
) -> list:
    """The contenders, the student alone first: two of the catalog, or all of the comparison's store."""
    from cross_modal_kd.studies.comparison.grid import comparison_jobs
    from cross_modal_kd.studies.robustness.contenders import contenders_of, stored_outcomes, two_contenders
    from cross_modal_kd.training.run_key import data_fingerprint

    if not robustness.from_comparison:
        names = {"student_alone": distillation.baseline, "distilled": distillation.arm}
        students = {"student_alone": student_alone, "distilled": distilled}
        return two_contenders(students, arms, names, training.seed)
    projections = {"mlp": projection_mlp, "pca": projection_pca}
    data = data_fingerprint(samples, task, inputs, teacher_embeddings, projections, sample_weights)
    outcomes = stored_outcomes(comparison_jobs(comparison, arms, student, training), comparison_store, data)
    return contenders_of(outcomes, arms, comparison.baseline)


def measure_robustness(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    evaluation: EvaluationConfig,
    robustness: RobustnessConfig,
    robustness_students: list,
) -> pd.DataFrame:
    """The error of every student under every kind and level of damage."""
    from cross_modal_kd.studies.robustness.damage import conditions
    from cross_modal_kd.studies.robustness.embed import DamagedEmbeddings
    from cross_modal_kd.studies.robustness.errors import protocol
    from cross_modal_kd.studies.robustness.table import robustness_table

    setting = protocol(samples, task, evaluation, robustness)
    embed_under = DamagedEmbeddings(samples, setting.subset.rows, task, sources, robustness, evaluation.batch_size)
    return robustness_table(
        robustness_students, conditions(robustness, task.student), setting, embed_under, robustness.level
    )


def draw_robustness(robustness: pd.DataFrame, task: TaskConfig) -> tuple[Any, dict]:
    """A panel a kind of damage with all arms, and a figure an arm with all kinds."""
    from cross_modal_kd.plotting.style import remark
    from cross_modal_kd.studies.robustness.plots import arm_figures, robustness_figure

    kinds, arms = robustness_figure(robustness), arm_figures(robustness)
    if task.chimeric:
        for figure in (kinds, *arms.values()):
            remark(figure, f"Chimeric pairs: {task.teacher} and {task.student} never belonged together.")
    return kinds, arms
