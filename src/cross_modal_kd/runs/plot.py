"""The metric that the runs are about, with its interval: a row a run."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from cross_modal_kd.evaluation import legend_of
from cross_modal_kd.plotting import ARMS, legend, new_figure, title
from cross_modal_kd.tracking import PastRun


def metric_plot(runs: Sequence[PastRun], letters: Sequence[str], metric: str) -> Figure:
    """Both students of each run.

    Args:
        runs: that have the metric.
        letters: a name for each.
        metric: as in metrics.json.

    Returns:
        A figure; a bar is there only where there is an interval.
    """
    known = legend_of(metric)
    scale = 100 if known.percent else 1
    figure, axis = new_figure(height=1.4 + 0.55 * len(runs))
    for shift, (arm, (name, colour)) in zip((-0.13, 0.13), ARMS.items(), strict=True):
        for row, run in enumerate(runs):
            full = f"metrics/{arm}.{metric}"
            if full not in run.metrics:
                continue
            value, ends = run.metrics[full], run.interval(full)
            label = name if row == 0 else None
            if ends:
                axis.plot([scale * end for end in ends], [row + shift] * 2, color=colour, linewidth=2, alpha=0.6)
            axis.plot([scale * value], [row + shift], "o", color=colour, markersize=6.5, label=label)
    axis.set_yticks(range(len(runs)), [f"{letter}  {run.short}" for letter, run in zip(letters, runs, strict=True)])
    axis.set_ylim(len(runs) - 0.5, -0.5)
    axis.set_xlabel(f"{known.title}{', %' if known.percent else ''}")
    title(axis, f"{known.title} of each run")
    legend(axis, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure
