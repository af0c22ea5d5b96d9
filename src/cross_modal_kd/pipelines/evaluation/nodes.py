"""The two students on the test split, once: trials, embeddings, metrics with intervals, plots and the report."""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.config import (
    ArmsConfig,
    DeploymentConfig,
    DistillationConfig,
    EvaluationConfig,
    SourcesConfig,
    StudentConfig,
    TaskConfig,
    TrainingConfig,
)
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.tasks import kind_of

logger = logging.getLogger(__name__)

# Kedro reads the hints when it loads the pipelines, and these types' rooms import torch and matplotlib
Protocol = Any  # evaluation.protocol.Protocol
Metrics = Any  # metrics.MetricSet
Damage = Any  # evaluation.report.damage.Damage
FiguresSection = Any  # evaluation.report.shown.FiguresSection
DataSection = Any  # evaluation.report.page.DataSection
Folds = Any  # evaluation.folds.Folds
RunSection = Any  # evaluation.report.page.RunSection


class Plots(NamedTuple):
    """Figures of matplotlib, and each as an SVG element by name."""

    operating_plot: Any
    scores_plot: Any
    training_plot: Any
    matching_plot: Any
    summary_plot: Any
    plot_images: dict[str, str]


def make_trials(samples: pd.DataFrame, task: TaskConfig, evaluation: EvaluationConfig) -> pd.DataFrame:
    """Pairs of the student's test samples: none where the kind of task has no trials.

    Args:
        samples: the table, with its splits.
        task: its kind, and the student's modality.
        evaluation: ``max_impostors``, ``impostors`` and ``seed``.

    Returns:
        A row a trial: enrol_id, test_id, target (1 or 0), enrol_label, test_label, same_domain.
    """
    from cross_modal_kd.evaluation import make_trials as trials_of

    return trials_of(samples, task, evaluation)


def embed_samples(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    student: ModelBundle,
    evaluation: EvaluationConfig,
    training: TrainingConfig,
) -> EmbeddingTable:
    """The student's embedding of its dev and test samples, and of a seeded subset of the training split.

    Args:
        samples: the table, with its splits.
        task: names the student's modality, and what a cluster is.
        sources: where the files lie.
        student: the trained one, which says how its inputs are read.
        evaluation: ``train_subset``, ``seed`` and ``batch_size``.
        training: ``accelerator``, the device to embed on.

    Returns:
        (N, D) by sample id, not normalised.
    """
    from cross_modal_kd.evaluation import embed_samples as embed

    return embed(samples, task, sources, student, evaluation, training.compute.accelerator)


def project_teacher(
    samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable, projection: ModelBundle
) -> EmbeddingTable:
    """The teacher's dev and test samples in the student's space, which lists across two modalities are scored with.

    Args:
        samples: the table, with its splits.
        task: names the teacher's modality.
        teacher_embeddings: raw, of every sample of that modality.
        projection: of ``choose_projection``.

    Returns:
        (N, d) unit vectors by sample id.
    """
    from cross_modal_kd.evaluation import in_students_space

    return in_students_space(samples, task, teacher_embeddings, projection)


def set_protocol(
    samples: pd.DataFrame,
    task: TaskConfig,
    evaluation: EvaluationConfig,
    trials: pd.DataFrame,
    teacher_embeddings: EmbeddingTable,
    projection: ModelBundle,
    embedded: EmbeddingTable,
    fold_samples: list | None = None,
) -> Protocol:
    """What both students are measured on: samples, trials, galleries of the projected teacher, resamples.

    Args:
        samples: the table, with its splits.
        task: its kind, modalities and pairing.
        evaluation: resamples, seeds and numbers of trials.
        trials: of ``make_trials``.
        teacher_embeddings: raw, of every sample of the teacher's modality.
        projection: of ``choose_projection``.
        embedded: by a student; its ids say which training samples are measured.
        fold_samples: the samples as further folds split them, which the fingerprint tells apart.

    Returns:
        The protocol (``evaluation.protocol.Protocol``).
    """
    from cross_modal_kd.evaluation import make_protocol, with_folds

    protocol = make_protocol(samples, task, evaluation, trials, teacher_embeddings, projection, embedded)
    return with_folds(protocol, fold_samples or [])


def measure_student(protocol: Protocol, student: ModelBundle, embeddings: EmbeddingTable) -> Metrics:
    """Every metric of one student, in every resample.

    Args:
        protocol: what it is measured on.
        student: with its classifier.
        embeddings: its own, of the protocol's samples.

    Returns:
        Metrics by name (``metrics.MetricSet``), and why others are not defined.
    """
    from cross_modal_kd.evaluation import student_metrics

    return student_metrics(protocol, student, embeddings)


def measure_teacher(protocol: Protocol) -> Metrics:
    """The projected teacher by itself on the test split.

    Args:
        protocol: holds the projected teacher.

    Returns:
        The metric of the kind of task (``metrics.MetricSet``), or why it is not defined.
    """
    from cross_modal_kd.evaluation import teacher_metrics

    return teacher_metrics([protocol.teacher], protocol.task, protocol.evaluation)


def compare_students(
    protocol: Protocol,
    student_alone: Metrics,
    distilled: Metrics,
    teacher: Metrics,
    folds: Folds,
    samples: pd.DataFrame,
    arms: ArmsConfig,
    distillation: DistillationConfig,
) -> dict:
    """Every metric of both students with its interval, their difference in the same resamples, and the protocol.

    Args:
        protocol: what all three were measured on.
        student_alone: metrics of the student alone.
        distilled: metrics of the distilled student.
        teacher: metrics of the projected teacher.
        folds: of ``measure_over_folds``; where there are several, their pooled metrics take the place of the three.
        samples: the table, whose training samples may be without a label.
        arms: all arms, for their titles.
        distillation: names the two that are compared, and says which labels were known.

    Returns:
        The content of metrics.json: that of ``evaluation.summary.summarise`` and ``evaluation.compare.compare``, and
        ``teacher`` as {name: {value, low, high}}.
    """
    from cross_modal_kd.evaluation import compare_metrics, intervals, summarise

    level = protocol.evaluation.level
    weights = {"student_alone": student_alone.weights, "distilled": distilled.weights}
    if folds:
        student_alone, distilled, teacher = folds.pooled["student_alone"], folds.pooled["distilled"], folds.teacher
    of_teacher, missing = intervals(teacher, level)
    compared = compare_metrics(student_alone, distilled, level)
    compared["undefined"] |= {f"teacher.{name}": reason for name, reason in missing.items()}
    if reason := compared["difference"].get(kind_of(protocol.task).metric, {}).get("reason"):
        logger.warning("no interval of the difference, and so no verdict: %s", reason)
    return summarise(protocol, folds, samples, arms, distillation, weights) | compared | {"teacher": of_teacher}


def keep_resamples(student_alone: Metrics, distilled: Metrics, folds: Any) -> pd.DataFrame:
    """Every metric of both students in every resample, so that another run can be set against this one.

    Args:
        student_alone: metrics of the student alone.
        distilled: metrics of the distilled student.
        folds: of ``measure_over_folds``; where there are several, their pooled metrics take the place of both.

    Returns:
        A row a resample, a column ``<arm>.<metric>`` each.
    """
    from cross_modal_kd.evaluation import resample_table

    return resample_table(folds.pooled if folds else {"student_alone": student_alone, "distilled": distilled})


def draw_plots(
    protocol: Protocol,
    metrics: dict,
    student_alone: ModelBundle,
    distilled: ModelBundle,
    student_alone_embeddings: EmbeddingTable,
    distilled_embeddings: EmbeddingTable,
    student_alone_history: pd.DataFrame,
    distilled_history: pd.DataFrame,
) -> Plots:
    """The plots of the report, and each as an SVG element for its page.

    Args:
        protocol: what both students were measured on.
        metrics: of ``compare_students``.
        student_alone: the student alone, with its classifier.
        distilled: the distilled student, with its classifier.
        student_alone_embeddings: of the test samples at least.
        distilled_embeddings: of the test samples at least.
        student_alone_history: of its training, a row an epoch.
        distilled_history: of its training, a row an epoch.

    Returns:
        Five figures (operating, scores, training, matching, summary), and their SVG elements by these names.
    """
    from cross_modal_kd.evaluation import draw
    from cross_modal_kd.plotting import inline_svg

    drawn = draw(
        protocol,
        metrics,
        students={"student_alone": student_alone, "distilled": distilled},
        embeddings={"student_alone": student_alone_embeddings, "distilled": distilled_embeddings},
        histories={"student_alone": student_alone_history, "distilled": distilled_history},
    )
    images = {name: inline_svg(plot, name) for name, plot in drawn.items()}
    return Plots(**{f"{name}_plot": plot for name, plot in drawn.items()}, plot_images=images)


def find_thresholds(
    samples: pd.DataFrame,
    task: TaskConfig,
    student: ModelBundle,
    embeddings: EmbeddingTable,
    network: StudentConfig,
    evaluation: EvaluationConfig,
    deployment: DeploymentConfig,
) -> dict:
    """How one student's scores and logits become decisions and probabilities: found on dev.

    Args:
        samples: the table, with its splits.
        task: its kind, and the student's modality.
        student: with its classifier.
        embeddings: its own, of every dev and test sample.
        network: the block ``student``: ``scale``, of a classifier by cosines.
        evaluation: ``max_impostors``, ``impostors`` and ``seed`` of the trials.
        deployment: which thresholds, and what they must rest on.

    Returns:
        Thresholds (value, FAR and FRR on dev, on test beside them, or the reason why there is none), the calibration
        of scores, the temperature of probabilities, and the dev metric: ``student.Operating`` as plain values.
    """
    from cross_modal_kd.student import find_operating

    scale = network.scale if kind_of(task).uses_trials else None
    return find_operating(samples, task, student, embeddings, evaluation, deployment, scale).model_dump(mode="json")


def compute_figures(
    protocol: Protocol,
    student_alone: ModelBundle,
    distilled: ModelBundle,
    student_alone_embeddings: EmbeddingTable,
    distilled_embeddings: EmbeddingTable,
) -> dict:
    """The numbers behind what the report shows of single samples, from which it is made again without a model.

    Args:
        protocol: the test samples and trials.
        student_alone: the student alone, with its classifier.
        distilled: the distilled student, with its classifier.
        student_alone_embeddings: of the test samples at least.
        distilled_embeddings: of the test samples at least.

    Returns:
        Plain values, samples by their ids: embeddings on a plane, queries across the modalities, what is taken for
        what, and where the distilled student is most wrong.
    """
    from cross_modal_kd.evaluation import collect_figures

    return collect_figures(
        protocol,
        students={"student_alone": student_alone, "distilled": distilled},
        embeddings={"student_alone": student_alone_embeddings, "distilled": distilled_embeddings},
    )


def show_figures(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    figures: dict,
    student_alone_operating: dict,
    distilled_operating: dict,
) -> FiguresSection:
    """The figures with the samples that they are of, which are read from their files.

    Args:
        samples: the table, whose samples are shown.
        task: its modalities.
        sources: where their files lie.
        figures: of ``compute_figures``.
        student_alone_operating: of ``find_thresholds``.
        distilled_operating: of ``find_thresholds``.

    Returns:
        The section (``evaluation.report.shown.FiguresSection``).
    """
    from cross_modal_kd.evaluation import show_figures as shown

    operating = {"student_alone": student_alone_operating, "distilled": distilled_operating}
    return shown(figures, operating, samples, task, sources)


def find_damage(reporting_folder: Path, metrics: dict, figures: dict) -> Damage:
    """What the study `robustness` has left, where it was run with these students.

    Args:
        reporting_folder: where its table lies.
        metrics: of ``compare_students``.
        figures: of ``compute_figures``, which says of which students it is.

    Returns:
        Empty where it was not (``evaluation.report.damage.Damage``).
    """
    from cross_modal_kd.evaluation import find_damage as found

    return found(reporting_folder, metrics, figures["students"])


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
    """The data as the report shows them: a few samples, counts, what was rejected, how quality is spread.

    Args:
        samples: the table, with its splits.
        task: its modalities and its pairing.
        sources: where the files lie.
        evaluation: ``seed`` of the labels shown.
        split_summary: counts by split, modality and source.
        rejected_samples: source, path and reason.
        quality_measures: sample_id, modality and one column a measure.
        quality_scores: sample_id, modality and quality in [0, 1].

    Returns:
        The section (``evaluation.report.page.DataSection``), samples and plot inside.
    """
    from cross_modal_kd.evaluation import DataSection as Section
    from cross_modal_kd.evaluation import Exhibits, gallery, quality_plot
    from cross_modal_kd.plotting import inline_svg

    return Section(
        gallery=gallery(samples, task, evaluation, Exhibits(samples, sources)),
        split_summary=split_summary,
        rejected=rejected_samples,
        quality_plot=inline_svg(quality_plot(samples, quality_measures, quality_scores), "quality"),
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
    """The run as the report shows it: its parameters, and what the stages before measured.

    Args:
        student: the students' network.
        training: of both students.
        arms: all arms.
        distillation: names the two that are shown.
        evaluation: how they were measured.
        teacher_metrics: of the stage ``teacher``.
        projection_metrics: of the stage ``projection``.

    Returns:
        The section (``evaluation.report.page.RunSection``).
    """
    from cross_modal_kd.evaluation import RunSection as Section

    parameters = {
        "the student's network": student,
        "training, the same for both": training,
        "student alone": arms.get(distillation.baseline),
        "distilled": arms.get(distillation.arm),
        "evaluation": evaluation,
    }
    return Section(parameters, {"teacher": teacher_metrics, "projection": projection_metrics})


def write_report(
    task: TaskConfig,
    metrics: dict,
    plot_images: dict,
    figures_section: FiguresSection,
    data_section: DataSection,
    run_section: RunSection,
    damage: Damage,
) -> str:
    """The whole run on one self-contained HTML page.

    Args:
        task: what was learnt.
        metrics: of ``compare_students``.
        plot_images: SVG elements by name, of ``draw_plots``.
        figures_section: of ``show_figures``.
        data_section: of ``describe_data``.
        run_section: of ``describe_run``.
        damage: of ``find_damage``.

    Returns:
        One HTML document, images and sounds inside.
    """
    from cross_modal_kd.evaluation import Page, render

    return render(Page(task, metrics, plot_images, figures_section, data_section, run_section, damage))
