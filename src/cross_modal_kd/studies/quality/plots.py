"""The plots of the quality study."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from cross_modal_kd.studies.quality.discard import DiscardCurve

_INK = "#333333"


def ordering_plot(table: pd.DataFrame) -> Figure:
    """A heat map a modality: measures down, degradations across.

    Blue where a measure falls with damage, red where it rises. Numbers are rank correlations over samples and
    levels; those whose interval holds 0, or that have none, are grey.

    Args:
        table: of ``ordering``, with a row for every measure and degradation of a modality.

    Returns:
        The plot, as wide as there are degradations.
    """
    blocks = [(str(modality), rows) for modality, rows in table.groupby("modality", sort=True)]
    widths = [rows["degradation"].nunique() for _, rows in blocks]
    height = max(rows["measure"].nunique() for _, rows in blocks)
    figure = Figure(figsize=(1.05 * sum(widths) + 2.2 * len(blocks), 0.48 * height + 1.7), layout="constrained")
    axes = figure.subplots(1, len(blocks), squeeze=False, width_ratios=widths)[0]
    for axis, (modality, rows) in zip(axes, blocks, strict=True):
        image = _heat_map(axis, rows)
        axis.set_title(modality, loc="left", fontsize=10, color=_INK)
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01)
    bar.set_label("rank correlation with less damage", fontsize=8.5, color=_INK)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    figure.suptitle("Which measure sees which damage", x=0.01, ha="left", fontsize=12, color=_INK)
    return figure


def _heat_map(axis: Axes, rows: pd.DataFrame) -> AxesImage:
    """The measures and degradations of one modality."""
    measures, damages = list(dict.fromkeys(rows["measure"])), list(dict.fromkeys(rows["degradation"]))
    cell = rows.set_index(["measure", "degradation"])
    values = cell["rank_correlation"].unstack().loc[measures, damages].to_numpy()
    image = axis.imshow(values, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    for i, measure in enumerate(measures):
        for j, damage in enumerate(damages):
            low, high = cell.loc[(measure, damage), "low"], cell.loc[(measure, damage), "high"]
            strong = abs(values[i, j]) > 0.65
            colour = "white" if strong else _INK if low > 0 or high < 0 else "#999999"
            axis.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", fontsize=8.5, color=colour)
    axis.set_xticks(range(len(damages)), [d.replace("_", " ") for d in damages], rotation=30, ha="right", fontsize=9)
    axis.set_yticks(range(len(measures)), [m.replace("_", " ") for m in measures], fontsize=9)
    axis.tick_params(length=0, colors=_INK)
    axis.spines[:].set_visible(False)
    return image


def discard_plot(curves: Mapping[str, DiscardCurve], error_name: str) -> Figure:
    """A panel a quality: the error as its worst samples are left out, over the band of random order.

    Args:
        curves: by the name of the quality, at least one; ``score`` is set in bold.
        error_name: label of the vertical axis.

    Returns:
        A plot of up to four panels a line, on common axes; errors are shares.
    """
    columns = min(4, len(curves))
    n_rows = -(-len(curves) // columns)
    figure = Figure(figsize=(2.9 * columns, 2.5 * n_rows + 0.5), layout="constrained")
    axes = figure.subplots(n_rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axis in axes[len(curves) :]:
        axis.axis("off")
    for axis, (name, curve) in zip(axes, curves.items(), strict=False):
        _discard_panel(axis, name, curve)
    finite = np.concatenate([curve.error[np.isfinite(curve.error)] for curve in curves.values()])
    if len(finite) and finite.max() > 0:
        axes[0].set_ylim(0, 1.25 * finite.max())
    figure.supxlabel("share of trials left out", fontsize=9, color=_INK)
    figure.supylabel(error_name, fontsize=9, color=_INK)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    figure.suptitle("Error versus discard", x=0.01, ha="left", fontsize=12, color=_INK)
    return figure


def _discard_panel(axis: Axes, name: str, curve: DiscardCurve) -> None:
    band: dict[str, Any] = {"color": "#bbbbbb", "alpha": 0.5, "lw": 0, "label": "random order, 90 %"}
    axis.fill_between(curve.share, curve.random_low, curve.random_high, **band)
    axis.plot(curve.share, curve.error, color="#4c72b0", lw=1.8, marker="o", ms=3, label="worst first")
    heading = f"{name.replace('_', ' ')}  (area {curve.area:.2f})"
    weight = "bold" if name == "score" else None
    axis.set_title(heading, fontsize=9, loc="left", color=_INK, fontweight=weight)
    axis.tick_params(labelsize=8, colors=_INK)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", color="#eeeeee")
    axis.set_axisbelow(True)
