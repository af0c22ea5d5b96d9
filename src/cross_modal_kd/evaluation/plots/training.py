"""How the two trainings went."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cross_modal_kd.evaluation.legend import legend_of
from cross_modal_kd.plotting import ARMS, DISTILLED, INK, new_figure, title

ACTIVE = "_active"
STYLES = ("-", "--", ":", "-.")


def training_plot(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """The task's own loss, the dev metric, and the share of samples outside each margin, by epoch.

    Args:
        histories: by arm, a row an epoch, with the columns epoch, task and ``dev_`` with the metric (null where dev was
            not looked at); ``NAME_active`` of each constraint of the distilled arm.

    Returns:
        Three panels, or two where the distilled arm has no constraint; shares in percent.
    """
    active = [column for column in histories["distilled"].columns.astype(str) if column.endswith(ACTIVE)]
    figure, axes = new_figure(1, 3 if active else 2, height=3.1)
    for arm, (name, colour) in ARMS.items():
        history = histories[arm]
        axes[0].plot(history["epoch"], history["task"], color=colour, linewidth=2, label=name)
        dev = next(column for column in history.columns.astype(str) if column.startswith("dev_"))
        seen = history.dropna(subset=[dev])
        axes[1].plot(seen["epoch"], 100 * seen[dev], "o-", color=colour, linewidth=2, markersize=4, label=name)
        title(axes[1], f"Dev {legend_of(dev.removeprefix('dev_')).title} (%)")
    title(axes[0], "Loss of the task")
    for column, style in zip(active, STYLES, strict=False):
        history = histories["distilled"]
        label = column.removesuffix(ACTIVE)
        axes[2].plot(history["epoch"], 100 * history[column], style, color=DISTILLED, linewidth=2, label=label)
    if active:
        title(axes[2], "Outside margin (%)")
        axes[2].set_ylim(0, 103)
        _below(figure, axes[2], "outside lower right")
    for axis in axes:
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    _below(figure, axes[0], "outside lower left")
    return figure


def _below(figure: Figure, axis: Axes, place: Literal["outside lower left", "outside lower right"]) -> None:
    """A legend that no curve can cross."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc=place, ncols=len(labels), frameon=False, fontsize=8.5, labelcolor=INK)
