"""The two students on the test split, once: trials, embeddings, metrics with intervals, plots and the report."""

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

# Kedro reads the hints when it loads the pipelines, and these types' rooms import torch and matplotlib
Protocol = Any  # evaluation.protocol.Protocol
Metrics = Any  # metrics.MetricSet
Examples = Any  # list[evaluation.report.examples.Group]
DataSection = Any  # evaluation.report.page.DataSection
RunSection = Any  # evaluation.report.page.RunSection


def make_trials(samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig) -> pd.DataFrame:
    """Pairs of the student's test samples: none where the kind of task has no trials."""
    from cross_modal_kd.evaluation import protocol

    return protocol.make_trials(samples, task, evaluation)


def embed_samples(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    student: ModelBundle,
    evaluation: EvaluationConfig,
    training: TrainingConfig,
) -> EmbeddingTable:
    """The student's embedding of its dev and test samples, and of a seeded subset of the training split."""
    from cross_modal_kd.evaluation import embed

    return embed.embed_samples(samples, task, sources, student, evaluation, training.accelerator)


def choose_projection(
    arms: ArmsConfig,
    distillation: DistillationConfig,
    distilled: ModelBundle,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
) -> ModelBundle:
    """The distilled arm's: as its student's training left it where it was trained on, else as it was fitted."""
    from cross_modal_kd.models.student import own_projection

    fitted = {"mlp": projection_mlp, "pca": projection_pca}
    return own_projection(distilled) or fitted[arms.get(distillation.arm).projection]


def set_protocol(
    samples: pd.DataFrame,
    task: TaskConfig,
    evaluation: EvaluationConfig,
    trials: pd.DataFrame,
    teacher_embeddings: EmbeddingTable,
    projection: ModelBundle,
    embedded: EmbeddingTable,
) -> Protocol:
    """What both students are measured on: samples, trials, galleries of the projected teacher, resamples."""
    from cross_modal_kd.evaluation.protocol import protocol

    return protocol(samples, task, evaluation, trials, teacher_embeddings, projection, embedded)


def measure_student(protocol: Protocol, student: ModelBundle, embeddings: EmbeddingTable) -> Metrics:
    """Every metric of one student, in every resample."""
    from cross_modal_kd.evaluation.protocol import student_metrics

    return student_metrics(protocol, student, embeddings)


def measure_teacher(protocol: Protocol) -> Metrics:
    """The projected teacher by itself on the test split."""
    from cross_modal_kd.evaluation.teacher import teacher_metrics

    return teacher_metrics(protocol.teacher, protocol.task, protocol.evaluation)


def compare_students(
    protocol: Protocol,
    student_alone: Metrics,
    distilled: Metrics,
    teacher: Metrics,
    arms: ArmsConfig,
    distillation: DistillationConfig,
) -> dict:
    """Every metric of both students with its interval, their difference in the same resamples, and the protocol."""
    from cross_modal_kd.evaluation.compare import compare, intervals
    from cross_modal_kd.evaluation.summary import summarise

    level = protocol.evaluation.level
    of_teacher, missing = intervals(teacher, level)
    compared = compare(student_alone, distilled, level)
    compared["undefined"] |= {f"teacher.{name}": reason for name, reason in missing.items()}
    return summarise(protocol, arms, distillation) | compared | {"teacher": of_teacher}


def draw_plots(
    protocol: Protocol,
    metrics: dict,
    student_alone: ModelBundle,
    distilled: ModelBundle,
    student_alone_embeddings: EmbeddingTable,
    distilled_embeddings: EmbeddingTable,
    student_alone_history: pd.DataFrame,
    distilled_history: pd.DataFrame,
) -> tuple[Any, Any, Any, Any, Any, dict[str, bytes]]:
    """Five plots (operating, scores, training, matching, summary), and each as PNG bytes for the report."""
    from cross_modal_kd.evaluation.plots import draw
    from cross_modal_kd.plotting.style import png

    drawn = draw(
        protocol,
        metrics,
        students={"student_alone": student_alone, "distilled": distilled},
        embeddings={"student_alone": student_alone_embeddings, "distilled": distilled_embeddings},
        histories={"student_alone": student_alone_history, "distilled": distilled_history},
    )
    images = {name: png(plot) for name, plot in drawn.items()}
    return drawn["operating"], drawn["scores"], drawn["training"], drawn["matching"], drawn["summary"], images


def collect_examples(
    samples: pd.DataFrame,
    sources: SourcesConfig,
    protocol: Protocol,
    student_alone: ModelBundle,
    distilled: ModelBundle,
    student_alone_embeddings: EmbeddingTable,
    distilled_embeddings: EmbeddingTable,
) -> Examples:
    """Where the distilled student is most wrong."""
    from cross_modal_kd.evaluation.report.examples import worst_examples

    return worst_examples(
        samples,
        sources,
        protocol,
        students={"student_alone": student_alone, "distilled": distilled},
        embeddings={"student_alone": student_alone_embeddings, "distilled": distilled_embeddings},
    )


def describe_data(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    evaluation: EvaluationConfig,
    split_summary: pd.DataFrame,
    rejected_samples: pd.DataFrame,
    quality_measures: pd.DataFrame,
    quality_scores: pd.DataFrame,
) -> DataSection:
    """The data as the report shows them: a few samples, counts, what was rejected, how quality is spread."""
    from cross_modal_kd.evaluation.plots.quality import quality_plot
    from cross_modal_kd.evaluation.report import page
    from cross_modal_kd.evaluation.report.exhibits import Exhibits
    from cross_modal_kd.evaluation.report.gallery import gallery
    from cross_modal_kd.plotting.style import png

    return page.DataSection(
        gallery=gallery(samples, task, evaluation, Exhibits(samples, sources)),
        split_summary=split_summary,
        rejected=rejected_samples,
        quality_plot=png(quality_plot(samples, quality_measures, quality_scores)),
    )


def describe_run(
    student: StudentConfig,
    training: TrainingConfig,
    arms: ArmsConfig,
    distillation: DistillationConfig,
    evaluation: EvaluationConfig,
    teacher_metrics: dict,
    projection_metrics: dict,
) -> RunSection:
    """The run as the report shows it: its parameters, and what the stages before measured."""
    from cross_modal_kd.evaluation.report import page

    parameters = {
        "the student's network": student,
        "training, the same for both": training,
        "student alone": arms.get(distillation.baseline),
        "distilled": arms.get(distillation.arm),
        "evaluation": evaluation,
    }
    return page.RunSection(parameters, {"teacher": teacher_metrics, "projection": projection_metrics})


def write_report(
    task: TaskConfig,
    metrics: dict,
    plot_images: dict,
    examples: Examples,
    data_section: DataSection,
    run_section: RunSection,
) -> str:
    """The whole run on one self-contained HTML page."""
    from cross_modal_kd.evaluation.report.page import Page, render

    return render(Page(task, metrics, plot_images, examples, data_section, run_section))
