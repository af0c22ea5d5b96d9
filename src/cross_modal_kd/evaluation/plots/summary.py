"""Both students side by side, and what lies between them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cross_modal_kd.evaluation.legend import SEEN, legend_of
from cross_modal_kd.evaluation.plots.interval import arms_of_interval, colour_of_gain
from cross_modal_kd.plotting import ARMS, INK, new_figure, say, title

ROW = 0.4
BORDER = 3  # percent: a dot at zero is whole
MOST_ADDED = 100  # percent: where the errors are twice as many; of few errors an interval goes much farther


def summary_plot(metrics: dict) -> Figure:
    """The task's metrics above those of matching and of classes named by words.

    Left: values with intervals. Right: the gain, right of zero is better, and an arrow at the left end goes on beyond
    ``MOST_ADDED``: the share of errors removed, for metrics of the task, points of percentage for the others. What is
    no error rate (calibration) is not here.

    Args:
        metrics: the content of metrics.json, in shares.

    Returns:
        Two panels a section, all in percent; words where no metric is defined.
    """
    names = [name for name in metrics["difference"] if not name.endswith(SEEN)]
    core = [name for name in names if legend_of(name).section == "core" and name in metrics["relative_reduction"]]
    matching = [name for name in names if legend_of(name).section in ("matching", "named")]
    sections = [section for section in (core, matching) if section]
    if not sections:
        figure, axis = new_figure(height=1.5)
        say(axis, "No metric is defined.")
        return figure
    sizes = [len(section) + 1 for section in sections]
    figure, axes = new_figure(
        len(sections), 2, height=0.9 * len(sections) + ROW * sum(sizes), squeeze=False, width_ratios=[3, 2],
        height_ratios=sizes,
    )  # fmt: skip
    for (left, right), section in zip(axes, sections, strict=True):
        where = np.arange(len(section))[::-1]
        for shift, (arm, (name_of_arm, colour)) in zip((0.13, -0.13), ARMS.items(), strict=True):
            for name, place in zip(section, where + shift, strict=True):
                _point(left, metrics[arm][name], place, colour, name_of_arm if place > len(section) - 1.5 else None)
        part = "relative_reduction" if section is core else "difference"
        for name, place in zip(section, where, strict=True):
            interval = metrics[part][name]
            _point(right, interval, place, colour_of_gain(interval))
        if section is core:
            _cut(right, [(place, metrics[part][name]) for name, place in zip(section, where, strict=True)])
        right.axvline(0, color=INK, linewidth=1)
        left.set_yticks(where, [_name(name) for name in section])
        right.set_yticks(where, [])
        for axis in (left, right):
            axis.set_ylim(-0.6, len(section) - 0.4)
        left.set(xlabel="%", xlim=(min(-BORDER, left.get_xlim()[0]), None))
        right.set_xlabel("errors removed (%)" if section is core else "points gained")
        title(left, "The task" if section is core else "Cross-modal matching")
        title(right, "Gain")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=8.5,
        labelcolor=INK,
    )  # fmt: skip
    return figure


def _name(name: str) -> str:
    known = legend_of(name)
    return known.title if known.percent else f"{known.title} \N{MULTIPLICATION SIGN} 100"


def _point(axis: Axes, interval: dict[str, Any], place: float, colour: str, label: str | None = None) -> None:
    ends = [[end] for end in arms_of_interval(interval)]
    value = 100 * interval["value"]
    axis.errorbar([value], [place], xerr=ends, fmt="o", color=colour, markersize=6, elinewidth=1.8, label=label)


def _cut(axis: Axes, gains: list[tuple[float, dict[str, Any]]]) -> None:
    """Let the axis end where the errors have doubled, so that one metric with few errors does not hide the others."""
    beyond = [(place, gain) for place, gain in gains if min(gain["value"], gain["low"] or 0.0) * 100 < -MOST_ADDED]
    if not beyond:
        return
    axis.set_xlim(left=-1.06 * MOST_ADDED)
    for place, gain in beyond:
        axis.plot([-MOST_ADDED], [place], marker="<", color=colour_of_gain(gain), markersize=6)
