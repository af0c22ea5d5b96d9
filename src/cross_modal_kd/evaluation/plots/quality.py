"""How quality is spread, as a plot."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, ScalarFormatter

COLOURS = {"train": "#4c72b0", "dev": "#dd8452", "test": "#55a868"}
_INK = "#333333"
BINS = 40
COLUMNS = 4
TICKS = 4
FAR = 4.0
SPACED = ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.1)  # numbers at the ends of neighbours are told apart


def quality_plot(samples: pd.DataFrame, measures: pd.DataFrame, scores: pd.DataFrame) -> Figure:
    """A row of panels a modality: each measure, then the score; one outline a split, each of area 1.

    The score of the training split is uniform by construction: a dev or test split that leans to the left is worse
    than what was trained on.

    Args:
        samples: the columns sample_id and split are read.
        measures: sample_id, modality and one column a measure, empty where it is another modality's.
        scores: sample_id, modality and quality in [0, 1].

    Returns:
        Panels four abreast; a measure is cut where ``_ends`` says, and what lies outside counts in the last bins.

    Raises:
        ValueError: measures or scores are of samples that the table does not hold.
    """
    splits = samples.set_index("sample_id")["split"]
    for name, table in {"quality_measures": measures, "quality_scores": scores}.items():
        other = table.loc[~table["sample_id"].isin(splits.index), "sample_id"]
        if len(other):
            raise ValueError(
                f"{name} is of other samples than the table of samples holds, {len(other)} of them, "
                f"{other.iloc[0]!r} the first: run the quality pipeline again on these samples"
            )
    panels: list[tuple[str, str, pd.Series]] = []
    for modality, rows in measures.groupby("modality", sort=True):
        named = rows.set_index("sample_id").drop(columns="modality").dropna(axis=1, how="all")
        panels += [(str(modality), str(name), named[name]) for name in named]
        scored = scores[scores["modality"] == modality].set_index("sample_id")["quality"]
        panels.append((str(modality), "score", scored))
    blocks = [[panel for panel in panels if panel[0] == modality] for modality in dict.fromkeys(p[0] for p in panels)]
    rows_of = [math.ceil(len(block) / COLUMNS) for block in blocks]
    figure = Figure(figsize=(3.1 * COLUMNS, 2.35 * sum(rows_of) + 0.5), layout=SPACED)
    grid = figure.subplots(sum(rows_of), COLUMNS, squeeze=False)
    first = 0
    for block, n_rows in zip(blocks, rows_of, strict=True):
        axes = grid[first : first + n_rows].ravel()
        for axis, (modality, name, values) in zip(axes, block, strict=False):
            _histogram(axis, f"{modality}: {name}", values, splits, is_score=name == "score")
        for axis in axes[len(block) :]:
            axis.axis("off")
        first += n_rows
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), frameon=False, fontsize=9)
    return figure


class _Numbers(ScalarFormatter):
    """A power of ten as mathematics, at the end of the axis; numbers as text, whose drawing takes a fifth of that."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return super().__call__(x, pos).removeprefix(r"$\mathdefault{").removesuffix("}$")


def _ends(values: pd.Series) -> tuple[float, float]:
    """Quantiles 0.002 and 0.998, but no further out than ``FAR`` times the quartiles' distance, where they have one.

    Among some hundred samples a single one would else squeeze all the others into a bin or two.
    """
    low, first, third, high = (float(each) for each in np.quantile(values, [0.002, 0.25, 0.75, 0.998]))
    if third > first:
        low, high = max(low, first - FAR * (third - first)), min(high, third + FAR * (third - first))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _histogram(axis: Axes, title: str, values: pd.Series, splits: pd.Series, is_score: bool) -> None:
    low, high = (0.0, 1.0) if is_score else _ends(values)
    edges = np.linspace(low, high, (BINS // 2 if is_score else BINS) + 1)
    of_split = splits.loc[values.index].to_numpy()
    for split, colour in COLOURS.items():
        found = np.clip(values.to_numpy(dtype=float)[of_split == split], low, high)
        if len(found):
            density, _ = np.histogram(found, edges, density=True)
            axis.stairs(
                density, edges, color=colour, fill=split == "train", alpha=0.35 if split == "train" else 1, label=split
            )
    axis.set_title(title.replace("_", " "), fontsize=9, color=_INK, loc="left", fontweight="bold" if is_score else None)
    axis.set_yticks([])
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.set_ylim(bottom=0)
    axis.margins(x=0)
    axis.tick_params(labelsize=8, colors=_INK)
    if is_score:
        axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        return
    axis.xaxis.set_major_locator(MaxNLocator(TICKS))
    numbers = _Numbers(useOffset=False, useMathText=True)
    numbers.set_powerlimits((-2, 4))  # 0.00002 and 40000 would not stand beside each other
    axis.xaxis.set_major_formatter(numbers)
    axis.xaxis.get_offset_text().set(fontsize=7, color=_INK)
