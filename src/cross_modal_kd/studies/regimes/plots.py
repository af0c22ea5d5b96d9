"""One picture a study: error over its settings, and what each arm takes off the baseline's."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cross_modal_kd.plotting.style import ALONE, DISTILLED, FAINT, IMPOSTOR, INK, TEACHER, new_figure, remark, title

PALETTE = [DISTILLED, TEACHER, IMPOSTOR, "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#999933"]
BESIDE = 0.06  # from one arm to the next at one setting, where a setting takes 1
APART = 1.02  # from one arm to the next on a logarithmic axis, so that intervals do not hide one another
LONG = 36  # characters of a label of which three fit beside one another
METRICS = {"eer": "EER", "top1_error": "top-1 error"}


def study_figure(
    table: pd.DataFrame,
    heading: str,
    axis_label: str,
    x: str | None = None,
    ticks: str | None = None,
    note: str = "",
    as_weak: str | None = None,
) -> Figure:
    """Above: error, with its interval. Below: relative error reduction against the baseline at the same setting.

    x: the column along the axis; None sets the settings side by side. ticks: how to write its values, on a logarithmic
    axis; None leaves a plain one. note: what must be known wherever the figure is shown.
    as_weak: an arm; where the axis shows the teacher's error, a line marks that arm's own, right of which it is weaker.
    """
    figure, (above, below) = new_figure(rows=2, height=6.2, sharex=True)
    metric = METRICS[table["error_metric"].iloc[0]]
    others = iter(PALETTE * (1 + table["arm"].nunique() // len(PALETTE)))
    settings = table["setting"].drop_duplicates().tolist()
    reduced = "relative_reduction_to_baseline"
    for number, (arm, rows) in enumerate(table.groupby("arm", sort=False)):
        alone = reduced not in rows or rows[reduced].isna().all()
        colour = ALONE if alone else next(others)
        places = _places(rows, x, settings)
        order = np.argsort(places, kind="stable")
        rows, places = rows.iloc[order], places[order]
        if x is None:
            places = places + BESIDE * number
        elif ticks:
            places = places * APART**number
        label = rows["title"].iloc[0] or str(arm)
        _line(above, places, rows, "error_mean", "error", colour, label, joined=x is not None)
        if not alone:
            _line(below, places, rows, reduced, reduced, colour, label, joined=x is not None)
    if as_weak and x:
        own = 100 * table.loc[table["arm"] == as_weak, "error_mean"].mean()
        for axis in (above, below):
            axis.axvline(own, color=FAINT, linewidth=3, label="teacher as weak as the student", zorder=0)
    below.axhline(0, color=INK, linewidth=1)
    if ticks:
        values = np.unique(_places(table, x, settings))
        below.set_xscale("log")
        below.set_xticks(values, [ticks.format(value) for value in values])
        below.minorticks_off()
    if x is None:
        middle = BESIDE * (table["arm"].nunique() - 1) / 2
        below.set_xticks(np.arange(len(settings)) + middle, settings)
    above.set_ylabel(f"{metric}, %")
    below.set(xlabel=axis_label, ylabel="error reduction against\nthe student alone, %")
    title(above, heading)
    handles, labels = above.get_legend_handles_labels()
    columns = 3 if max(map(len, labels)) <= LONG else 2
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False, fontsize=8)
    if note:
        remark(figure, note)
    return figure


def _places(rows: pd.DataFrame, x: str | None, settings: list[str]) -> np.ndarray:
    if x is None:
        return np.array([settings.index(setting) for setting in rows["setting"]], dtype=float)
    return rows[x].to_numpy(dtype=float)


def _line(
    axis: Axes, places: np.ndarray, rows: pd.DataFrame, value: str, ends: str, colour: str, label: str, joined: bool
) -> None:
    middle, low, high = (100 * rows[name].to_numpy(dtype=float) for name in (value, f"{ends}_low", f"{ends}_high"))
    axis.vlines(places, low, high, color=colour, linewidth=1.4, alpha=0.6)
    axis.plot(places, middle, "-o" if joined else "o", color=colour, linewidth=1.4, markersize=5, label=label)
