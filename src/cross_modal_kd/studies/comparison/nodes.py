"""The arms side by side, on the same data, seeds and budget."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.context import Context
from cross_modal_kd.tasks import kind_of


class Compared(NamedTuple):
    """A row an arm, and a row an arm and metric."""

    comparison: pd.DataFrame
    comparison_metrics: pd.DataFrame


class Plots(NamedTuple):
    """Figures of matplotlib, and each as an SVG element by name."""

    comparison_forest_plot: Any
    comparison_curves_plot: Any
    comparison_distances_plot: Any
    comparison_images: dict[str, str]


def train_arms(comparison_folds: list[Context], comparison: ComparisonConfig, store: Path) -> list:
    """The outcomes of every arm x projection x seed; what is in the store already is taken from there.

    Args:
        comparison_folds: of ``gathering.prepare_folds``.
        comparison: the grid.
        store: folder of the trainings, one folder an arm, projection and seed (and fold).

    Returns:
        A list of outcomes a fold, seeds outermost.
    """
    from cross_modal_kd.studies.grid import Job, grid_jobs, train_grid
    from cross_modal_kd.training import train_arm

    def train_in(fold: Context, number: int) -> list:
        def train(job: Job, checkpoint: Path) -> tuple:
            projection = fold.projections[job.config.projection]
            return train_arm(
                fold.data, job.student, job.training, job.config, projection, name=job.arm, checkpoint=checkpoint
            )

        about = fold.configuration
        jobs = grid_jobs(comparison, about.arms, about.student, about.training)
        if number > 1:
            jobs = [replace(job, condition={"fold": number}) for job in jobs]
        return train_grid(jobs, store, fold, train)

    first, *others = comparison_folds
    # copies, whose inputs leave the memory with them
    return [train_in(first, 1), *(train_in(replace(fold), number) for number, fold in enumerate(others, start=2))]


def compare_arms(comparison_folds: list[Context], comparison: ComparisonConfig, arm_outcomes: list) -> Compared:
    """The tables: a row an arm and projection, and a row for each of its metrics, with paired intervals.

    Args:
        comparison_folds: of ``gathering.prepare_folds``; their samples and trials are measured on.
        comparison: the baseline, the hard arms, and the intervals.
        arm_outcomes: of ``train_arms``.

    Returns:
        The columns of ``comparison_table`` and ``unseen_columns``, and those of ``metrics_table``; error rates,
        differences and reductions are shares, not percent. Over several folds the first has a column ``folds``, how
        many.
    """
    from cross_modal_kd.studies.comparison.metrics import metrics_table
    from cross_modal_kd.studies.folds import FoldTrainings, measure_over_folds, over_folds
    from cross_modal_kd.studies.headline import log_arms
    from cross_modal_kd.studies.measure import measure
    from cross_modal_kd.studies.table import Contrasts, by_arm, comparison_table
    from cross_modal_kd.studies.unseen import unseen_columns

    context, *others = comparison_folds
    resampling = {"bootstrap": comparison.bootstrap, "level": comparison.level}
    if others:
        folds = zip(comparison_folds, arm_outcomes, strict=True)
        tested = [FoldTrainings(fold, done, fold.teacher_embeddings, fold.projections) for fold, done in folds]
        metrics = measure_over_folds(tested, resampling)
    else:
        metrics = measure(context, arm_outcomes[0], resampling, context.teacher_embeddings, context.projections)
    contrasts = Contrasts(comparison.baseline, comparison.hard_of, comparison.level)
    results, kind = by_arm(over_folds(arm_outcomes), metrics), kind_of(context.task)
    table = comparison_table(results, kind, contrasts, context.arms)
    if others:
        table["folds"] = len(comparison_folds)
    table = table.join(unseen_columns(results, comparison.level))
    log_arms(table, kind)
    return Compared(table, metrics_table(results, comparison.baseline, comparison.level))


def draw_comparison(context: Context, table: pd.DataFrame, arm_outcomes: list) -> Plots:
    """The three plots of a comparison.

    Args:
        context: tells the metric of the training curves.
        table: of ``compare_arms``.
        arm_outcomes: of ``train_arms``; the curves are of the first fold.

    Returns:
        Forest, training curves, distances to the teacher, and their SVG elements by these names.
    """
    from cross_modal_kd.plotting import inline_svg
    from cross_modal_kd.studies.comparison.plots import curves_plot, distances_plot, forest_plot

    drawn = {
        "forest": forest_plot(table),
        "curves": curves_plot(arm_outcomes[0], kind_of(context.task).metric),
        "distances": distances_plot(table),
    }
    images = {name: inline_svg(plot, name) for name, plot in drawn.items()}
    return Plots(**{f"comparison_{name}_plot": plot for name, plot in drawn.items()}, comparison_images=images)


def write_comparison(
    table: pd.DataFrame,
    comparison_metrics: pd.DataFrame,
    comparison_images: dict,
    task: TaskConfig,
    comparison: ComparisonConfig,
) -> str:
    """The comparison on one self-contained HTML page.

    Args:
        table: of ``compare_arms``, a row an arm.
        comparison_metrics: of ``compare_arms``, a row an arm and metric.
        comparison_images: SVG elements by name, of ``draw_comparison``.
        task: what was learnt.
        comparison: the grid.

    Returns:
        One HTML document, plots inside.
    """
    from cross_modal_kd.studies.comparison.page import comparison_page

    return comparison_page(table, comparison_metrics, task, comparison, comparison_images)
