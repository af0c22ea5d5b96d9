"""The students on damaged test samples; thin nodes over the files beside this one."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.config import DistillationConfig, TaskConfig
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.context import Context
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.tasks import kind_of


class Plots(NamedTuple):
    """A figure of all kinds of damage, the same for the report, and one of each arm by file name."""

    robustness_plot: Any
    robustness_image: dict
    robustness_by_arm: dict


def choose_students(
    context: Context,
    distillation: DistillationConfig,
    comparison: ComparisonConfig,
    robustness: RobustnessConfig,
    comparison_store: Path,
    student_alone: ModelBundle,
    distilled: ModelBundle,
) -> list:
    """The contenders, the student alone first: two of the catalog, or all of the comparison's store.

    Args:
        context: of all studies.
        distillation: which arms the two of the catalog were trained as.
        comparison: the grid that the store holds.
        robustness: ``from_comparison`` decides between the two.
        comparison_store: folder of the comparison's trainings.
        student_alone: of ``distill``.
        distilled: of ``distill``.

    Returns:
        Contenders. ValueError where the comparison was asked for and is not finished.
    """
    from cross_modal_kd.studies.robustness.contenders import contenders_of, stored_outcomes, two_contenders

    about = context.configuration
    if not robustness.from_comparison:
        names = {"student_alone": distillation.baseline, "distilled": distillation.arm}
        students = {"student_alone": student_alone, "distilled": distilled}
        return two_contenders(students, about.arms, names, about.training.seed)
    outcomes = stored_outcomes(context, comparison, comparison_store)
    return contenders_of(outcomes, about.arms, comparison.baseline)


def measure_robustness(context: Context, robustness: RobustnessConfig, students: list) -> pd.DataFrame:
    """The error of every student under every kind and level of damage.

    Args:
        context: of all studies.
        robustness: kinds, levels and how they are measured.
        students: of ``choose_students``.

    Returns:
        The table of ``robustness_table``.
    """
    from cross_modal_kd.studies.headline import log_arms
    from cross_modal_kd.studies.robustness.damage import damage_levels
    from cross_modal_kd.studies.robustness.embed import DamagedEmbeddings
    from cross_modal_kd.studies.robustness.errors import protocol
    from cross_modal_kd.studies.robustness.table import robustness_table

    samples, task, about = context.samples, context.task, context.configuration
    measured_in = protocol(samples, task, about.evaluation, robustness)
    embed_under = DamagedEmbeddings(samples, measured_in.subset.rows, about, robustness)
    levels = damage_levels(robustness, task.student)
    table = robustness_table(students, levels, measured_in, embed_under, robustness.level)
    log_arms(table, kind_of(task))
    return table


def draw_robustness(table: pd.DataFrame, task: TaskConfig, students: list) -> Plots:
    """A panel a kind of damage with all arms, and a plot an arm with all kinds.

    Args:
        table: of ``measure_robustness``.
        task: whether its pairs are chimeric, which is then said above every plot.
        students: of ``choose_students``: the report shows the plot where these are its own.

    Returns:
        The plot of all arms, the same as an SVG element with the students that it is of, and {file name: plot of one
        arm}.
    """
    from cross_modal_kd.evaluation import noted_students
    from cross_modal_kd.plotting import inline_svg, remark
    from cross_modal_kd.studies.robustness.plots import arm_plots, robustness_plot

    kinds, arms = robustness_plot(table), arm_plots(table)
    if task.chimeric:
        for plot in (kinds, *arms.values()):
            remark(plot, f"Chimeric pairs: {task.teacher} and {task.student} never belonged together.")
    measured = [(each.arm, each.projection, each.students) for each in students]
    image = noted_students(table, measured, inline_svg(kinds, "robustness"))
    return Plots(robustness_plot=kinds, robustness_image=image, robustness_by_arm=arms)
