"""Does the student's embedding of a sample find the teacher's of the same thing?"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from cross_modal_kd.evaluation.legend import SEEN
from cross_modal_kd.evaluation.plots.interval import arms_of_interval
from cross_modal_kd.plotting import ARMS, INK, new_figure, say, title
from cross_modal_kd.tasks import kind_named

PREFIX = "matching_1_"
OPEN_SET = {"test": "unseen classes", "train": "seen classes"}
CLOSED_SET = {"test": "test samples", "train": "training samples"}


def matching_plot(metrics: dict) -> Figure:
    """Accuracy of 1:N matching against N: on test and on training samples, with intervals and chance.

    Of an open set they are of unseen and of seen classes, and are called so; a closed set has no class but seen ones.

    Args:
        metrics: the content of metrics.json, in shares.

    Returns:
        One panel in percent, N on a logarithmic axis; words where no N was measured.
    """
    sizes = sorted(int(name.removeprefix(PREFIX)) for name in metrics["distilled"] if _plain(name))
    figure, axis = new_figure()
    if not sizes:
        say(axis, "No matching: " + next(iter(metrics["undefined"].values()), "no gallery size was asked for"))
        return figure
    closed = kind_named(metrics["task"]["kind"]).design.closed_set
    measured_on = CLOSED_SET if closed else OPEN_SET
    for shift, (arm, (name, colour)) in zip((0.97, 1.03), ARMS.items(), strict=True):
        for suffix, style, fill in ((SEEN, ":", "white"), ("", "-", colour)):
            found = {n: metrics[arm].get(f"{PREFIX}{n}{suffix}") for n in sizes}
            drawn = {n: interval for n, interval in found.items() if interval}
            if not drawn:
                continue
            values = [100 * interval["value"] for interval in drawn.values()]
            ends = np.transpose([arms_of_interval(interval) for interval in drawn.values()])
            label = f"{name}, {measured_on['train' if suffix else 'test']}"
            axis.errorbar(
                [n * shift for n in drawn], values, ends, color=colour, linestyle=style, linewidth=2, marker="o",
                markersize=6, markerfacecolor=fill, capsize=2, elinewidth=1, label=label,
            )  # fmt: skip
    axis.plot(sizes, [100 / n for n in sizes], color=INK, linewidth=1, linestyle="--", label="chance", zorder=1)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(sizes))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"1:{value:.0f}"))
    axis.set(ylim=(-3, 103), ylabel="picked rightly (%)", xlabel="items to choose from")
    title(axis, "Cross-modal matching")
    figure.legend(
        *axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8.5,
        labelcolor=INK,
    )  # fmt: skip
    return figure


def _plain(name: str) -> bool:
    return name.startswith(PREFIX) and name.removeprefix(PREFIX).isdigit()
