"""The two students on the test split; thin nodes over the files beside this one."""

from typing import Any

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.objective import DistillationConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.selection import split_rows


def make_trials(samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig) -> pd.DataFrame:
    """Pairs of the student's test samples: every target, and a seeded draw of impostors. Empty for classification."""
    from cross_modal_kd.evaluation import protocol

    return protocol.make_trials(samples, task, evaluation)


def embed_samples(
    samples: pd.DataFrame, task: TaskConfig, sources: SourcesConfig, student: ModelBundle, evaluation: EvaluationConfig
) -> EmbeddingTable:
    """The student's embedding of its dev and test samples, and of a seeded subset of the training split."""
    from cross_modal_kd.evaluation import embed

    return embed.embed_samples(samples, task, sources, student, evaluation)


def evaluate(
    samples: pd.DataFrame,
    task: TaskConfig,
    evaluation: EvaluationConfig,
    arms: ArmsConfig,
    distillation: DistillationConfig,
    trials: pd.DataFrame,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    student_alone: ModelBundle,
    distilled: ModelBundle,
    student_alone_embeddings: EmbeddingTable,
    distilled_embeddings: EmbeddingTable,
) -> dict:
    """Every figure of both students with its interval, their difference in the same resamples, and the protocol.

    Both are matched with the teacher through the projection that the distilled arm was trained with.
    """
    from cross_modal_kd.evaluation.compare import compare, intervals
    from cross_modal_kd.evaluation.protocol import arm_figures, protocol
    from cross_modal_kd.evaluation.summary import summarise
    from cross_modal_kd.evaluation.teacher import teacher_figures

    projection = _projection(arms, distillation, distilled, projection_mlp, projection_pca)
    setting = protocol(samples, task, evaluation, trials, teacher_embeddings, projection, student_alone_embeddings)
    alone = arm_figures(setting, student_alone, student_alone_embeddings)
    with_teacher = arm_figures(setting, distilled, distilled_embeddings)
    teacher, missing = intervals(
        teacher_figures(samples, task, evaluation, teacher_embeddings, projection), evaluation.level
    )
    figures = compare(alone, with_teacher, evaluation.level)
    figures["undefined"] |= {f"teacher.{name}": reason for name, reason in missing.items()}
    return summarise(setting, arms, distillation) | figures | {"teacher": teacher}


def draw_plots(
    samples: pd.DataFrame,
    task: TaskConfig,
    evaluation: EvaluationConfig,
    arms: ArmsConfig,
    distillation: DistillationConfig,
    trials: pd.DataFrame,
    metrics: dict,
    teacher_embeddings: EmbeddingTable,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
    student_alone: ModelBundle,
    distilled: ModelBundle,
    student_alone_embeddings: EmbeddingTable,
    distilled_embeddings: EmbeddingTable,
    student_alone_history: pd.DataFrame,
    distilled_history: pd.DataFrame,
) -> tuple[Any, Any, Any, Any, Any, dict[str, bytes]]:
    """Five figures (operating, scores, training, matching, summary), and each as PNG bytes for the report."""
    from cross_modal_kd.evaluation.plots.matching import matching_figure
    from cross_modal_kd.evaluation.plots.summary import summary_figure
    from cross_modal_kd.evaluation.plots.training import training_figure
    from cross_modal_kd.plotting.style import png, remark
    from cross_modal_kd.tasks.classification.plots import class_figure, reliability_figure
    from cross_modal_kd.tasks.verification.plots import det_figure, scored_trials, scores_figure

    students = {"student_alone": student_alone, "distilled": distilled}
    embeddings = {"student_alone": student_alone_embeddings, "distilled": distilled_embeddings}
    rows = split_rows(samples, task.student, "test")
    if task.kind == "verification":
        projection = _projection(arms, distillation, distilled, projection_mlp, projection_pca)
        teacher_rows = split_rows(samples, task.teacher, "test")
        scored = scored_trials(rows, trials, embeddings)
        operating = det_figure(scored, teacher_rows, evaluation, teacher_embeddings, projection)
        scores = scores_figure(scored)
    else:
        operating = reliability_figure(rows, students, embeddings)
        scores = class_figure(rows, students, embeddings)
    histories = {"student_alone": student_alone_history, "distilled": distilled_history}
    drawn = {
        "operating": operating,
        "scores": scores,
        "training": training_figure(histories),
        "matching": matching_figure(metrics),
        "summary": summary_figure(metrics),
    }
    if task.chimeric:
        for figure in drawn.values():
            remark(figure, f"Chimeric pairs: {task.teacher} and {task.student} never belonged together.")
    images = {name: png(figure) for name, figure in drawn.items()}
    return operating, scores, drawn["training"], drawn["matching"], drawn["summary"], images


def write_report(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    student: StudentConfig,
    training: TrainingConfig,
    arms: ArmsConfig,
    distillation: DistillationConfig,
    evaluation: EvaluationConfig,
    metrics: dict,
    trials: pd.DataFrame,
    student_alone: ModelBundle,
    distilled: ModelBundle,
    student_alone_embeddings: EmbeddingTable,
    distilled_embeddings: EmbeddingTable,
    plot_images: dict,
    split_summary: pd.DataFrame,
    rejected_samples: pd.DataFrame,
    quality_measures: pd.DataFrame,
    quality_scores: pd.DataFrame,
    teacher_metrics: dict,
    projection_metrics: dict,
) -> str:
    """The whole run on one self-contained HTML page."""
    from cross_modal_kd.evaluation.plots.quality import quality_figure
    from cross_modal_kd.evaluation.report.examples import worst_answers, worst_trials
    from cross_modal_kd.evaluation.report.exhibits import Exhibits
    from cross_modal_kd.evaluation.report.gallery import gallery
    from cross_modal_kd.evaluation.report.page import Page, render
    from cross_modal_kd.plotting.style import png

    exhibits = Exhibits(samples, task, sources)
    if task.kind == "verification":
        examples = worst_trials(samples, task, trials, student_alone_embeddings, distilled_embeddings, exhibits)
    else:
        examples = worst_answers(
            samples, task, {"student_alone": student_alone, "distilled": distilled},
            {"student_alone": student_alone_embeddings, "distilled": distilled_embeddings}, exhibits,
        )  # fmt: skip
    quality = png(quality_figure(samples, quality_measures, quality_scores))
    return render(
        Page(
            task=task,
            metrics=metrics,
            images=plot_images | {"quality": quality},
            examples=examples,
            gallery=gallery(samples, task, evaluation, exhibits),
            split_summary=split_summary,
            rejected=rejected_samples,
            parameters={
                "the student's network": student,
                "training, the same for both": training,
                "student alone": arms.get(distillation.baseline),
                "distilled": arms.get(distillation.arm),
                "evaluation": evaluation,
            },
            stages={"teacher": teacher_metrics, "projection": projection_metrics},
        )
    )


def _projection(
    arms: ArmsConfig, distillation: DistillationConfig, distilled: ModelBundle, mlp: ModelBundle, pca: ModelBundle
) -> ModelBundle:
    """The distilled arm's: as its student's training left it where it was trained on, else as it was fitted."""
    from cross_modal_kd.models.student import own_projection

    return own_projection(distilled) or {"mlp": mlp, "pca": pca}[arms.get(distillation.arm).projection]
