"""Does the student's embedding of a sample find the teacher's of the same thing?"""

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from cross_modal_kd.evaluation.legend import SEEN
from cross_modal_kd.plotting import ARMS, INK, new_figure, say, title

PREFIX = "matching_1_"


def matching_plot(metrics: dict) -> Figure:
    """Accuracy of 1:N matching against N: on unseen and on seen classes, with intervals and chance.

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
    for shift, (arm, (name, colour)) in zip((0.97, 1.03), ARMS.items(), strict=True):
        for suffix, style, fill in ((SEEN, ":", "white"), ("", "-", colour)):
            found = {n: metrics[arm].get(f"{PREFIX}{n}{suffix}") for n in sizes}
            drawn = {n: interval for n, interval in found.items() if interval}
            if not drawn:
                continue
            values = [100 * interval["value"] for interval in drawn.values()]
            ends = [
                [abs(100 * interval[end] - value) for interval, value in zip(drawn.values(), values, strict=True)]
                for end in ("low", "high")
            ]
            label = f"{name}, {'seen' if suffix else 'unseen'} classes"
            axis.errorbar(
                [n * shift for n in drawn], values, ends, color=colour, linestyle=style, linewidth=2, marker="o",
                markersize=6, markerfacecolor=fill, capsize=2, elinewidth=1, label=label,
            )  # fmt: skip
    axis.plot(sizes, [100 / n for n in sizes], color=INK, linewidth=1, linestyle="--", label="chance", zorder=1)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(sizes))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"1:{value:.0f}"))
    axis.set(ylim=(0, 103), ylabel="picked rightly (%)", xlabel="items to choose from")
    title(axis, "Cross-modal matching")
    figure.legend(
        *axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8.5,
        labelcolor=INK,
    )  # fmt: skip
    return figure


def _plain(name: str) -> bool:
    return name.startswith(PREFIX) and name.removeprefix(PREFIX).isdigit()
