"""Plots of a comparison: the differences, the trainings, the distances to the teacher."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cross_modal_kd.plotting import ALONE, DISTILLED, IMPOSTOR, INK, TEACHER, legend, new_figure, remark, say, title
from cross_modal_kd.studies.grid import Outcome
from cross_modal_kd.studies.words import arm_label, without_interval


def forest_plot(table: pd.DataFrame) -> Figure:
    """Relative error reduction of every arm against the baseline, with its interval; right of zero is better.

    Args:
        table: of ``comparison_table``.

    Returns:
        A row an arm and projection, in percent; thin, the interval over seeds too, where there is one. Grey where the
        widest includes zero or there is none, which a line above then says; a line of text where no arm is set against
        another.
    """
    rows = (
        table[table["relative_reduction_to_baseline"].notna()]
        if "relative_reduction_to_baseline" in table
        else table[:0]
    )
    figure, axis = new_figure(height=1.1 + 0.34 * max(len(rows), 2))
    if rows.empty:
        say(axis, "one arm alone: nothing to compare")
        return figure
    values, low, high = _ends_of(rows, "relative_reduction_to_baseline")
    _, both_low, both_high = _ends_of(rows, "relative_reduction_to_baseline_both")
    least, most = np.fmin(low, both_low), np.fmax(high, both_high)
    where = np.arange(len(rows))[::-1]
    for place, value, start, end, first, last in zip(where, values, low, high, least, most, strict=True):
        colour = DISTILLED if first > 0 else IMPOSTOR if last < 0 else ALONE
        axis.plot([first, last], [place, place], color=colour, linewidth=0.8)
        axis.plot([start, end], [place, place], color=colour, linewidth=2, solid_capstyle="round")
        axis.plot(value, place, "o", color=colour, markersize=7)
    inner = np.concatenate([values, low[np.isfinite(low)], high[np.isfinite(high)], [0.0]])
    room = 0.6 * (inner.max() - inner.min()) or 1.0
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.set_xlim(max(axis.get_xlim()[0], inner.min() - room), min(axis.get_xlim()[1], inner.max() + room))
    axis.axvline(0, color=INK, linewidth=1)
    axis.set_yticks(where, _labels(rows))
    axis.set_xlabel("error reduction against the student alone, %, with paired interval")
    title(axis, "What each arm brings")
    if (lacking := without_interval(rows)) is not None:
        remark(figure, lacking, INK)
    return figure


def _ends_of(rows: pd.DataFrame, name: str) -> list[np.ndarray]:
    """A column and its ends, in percent; NaN where they are not there."""
    return [100 * rows.reindex(columns=[name + end])[name + end].to_numpy(dtype=float) for end in ("", "_low", "_high")]


def curves_plot(outcomes: Sequence[Outcome], metric: str) -> Figure:
    """Dev metric over the epochs, the mean over seeds of each arm, as far as all of them were measured.

    Args:
        outcomes: whose histories are drawn; a single arm without constraints is called the student alone.
        metric: ``eer`` or ``top1``, whose ``dev_<metric>`` is a column of every history.

    Returns:
        A curve an arm and projection, in percent.
    """
    figure, axis = new_figure(height=4.2)
    alone = {outcome.job.arm for outcome in outcomes if not outcome.job.config.constraints}
    groups: dict[str, list[pd.Series]] = {}
    for outcome in outcomes:
        history, job = outcome.history.set_index("epoch"), outcome.job
        if job.config.constraints:
            name = f"{job.arm} ({job.config.projection})"
        else:
            name = "student alone" if len(alone) == 1 else job.arm
        groups.setdefault(name, []).append(history[f"dev_{metric}"].dropna())
    styles = ["-", "--", ":", "-."]
    palette = [ALONE, DISTILLED, TEACHER, IMPOSTOR, "#cc79a7", "#e69f00", "#56b4e9"]
    for number, (name, curves) in enumerate(groups.items()):
        mean = pd.concat(curves, axis=1, join="inner").mean(axis=1)
        axis.plot(
            mean.index, 100 * mean, styles[number // len(palette) % 4], color=palette[number % len(palette)], label=name
        )
    axis.set(xlabel="epoch", ylabel=f"{metric.upper() if metric == 'eer' else 'top-1'} on dev, %")
    title(axis, "Training")
    legend(axis, fontsize=7, ncols=2)
    return figure


def distances_plot(table: pd.DataFrame) -> Figure:
    """Mean cosine distance to the teacher on training and unseen test samples: the gap is what does not generalise.

    Args:
        table: of ``comparison_table``.

    Returns:
        A row an arm that has a distance, in [0, 2]; a line of text where none has.
    """
    known = "teacher_student_distance_test" in table
    rows = table[table["teacher_student_distance_test"].notna()] if known else table[:0]
    figure, axis = new_figure(height=1.1 + 0.34 * max(len(rows), 2))
    if rows.empty:
        say(axis, "no distance to the teacher is defined")
        return figure
    where = np.arange(len(rows))[::-1]
    train, test = rows["teacher_student_distance_train"], rows["teacher_student_distance_test"]
    axis.hlines(where, train, test, color=ALONE, linewidth=2)
    axis.plot(train, where, "o", color=TEACHER, label="train")
    axis.plot(test, where, "o", color=DISTILLED, label="test")
    axis.set_yticks(where, _labels(rows))
    axis.set_xlabel("1 - cos(student, teacher)")
    title(axis, "Distance to the teacher")
    legend(axis)
    return figure


def _labels(rows: pd.DataFrame) -> list[str]:
    return [arm_label(title, projection) for title, projection in zip(rows["title"], rows["projection"], strict=True)]
