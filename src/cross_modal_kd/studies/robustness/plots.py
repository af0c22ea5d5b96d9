"""Error against damage: a panel a kind with all arms, and one plot an arm with all kinds."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cross_modal_kd.plotting import ALONE, DISTILLED, IMPOSTOR, INK, TEACHER, legend_below, new_figure, remark, title
from cross_modal_kd.studies.robustness.table import CLEAN
from cross_modal_kd.studies.words import arm_label, without_interval

PALETTE = (ALONE, DISTILLED, TEACHER, IMPOSTOR, "#cc79a7", "#e69f00", "#56b4e9")
STYLES = ("-", "--", ":", "-.")
ERRORS = {"eer": "EER, %", "top1_error": "top-1 error, %"}
MOST_BANDS = 3


def robustness_plot(table: pd.DataFrame) -> Figure:
    """A panel a kind; bands are intervals, left out where there are more than three arms.

    Args:
        table: of ``robustness_table``, with one kind of damage at least.

    Returns:
        A plot of up to three panels a line; errors are in percent, on one axis.
    """
    kinds = [kind for kind in table["kind"].unique() if kind != CLEAN]
    columns = min(len(kinds), 2 if len(kinds) in (2, 4) else 3)
    lines = -(-len(kinds) // columns)
    figure, axes = new_figure(lines, columns, height=1.0 + 2.3 * lines, squeeze=False, sharey=True)
    arms = [rows for _, rows in table.groupby(["arm", "projection"], sort=False)]
    for axis, kind in zip(axes.flat, kinds, strict=False):
        for number, rows in enumerate(arms):
            _curve(axis, _of_kind(rows, kind), _label(rows), number, band=len(arms) <= MOST_BANDS)
        shown = _of_kind(arms[0], kind)
        axis.set_xticks(shown["severity"], [CLEAN, *(f"{level:g}" for level in shown["level"][1:])], fontsize=7.5)
        axis.set_xlabel(shown["unit"].iloc[-1])
        title(axis, kind.replace("_", " "))
    for axis in axes.flat[len(kinds) :]:
        axis.axis("off")
    for row in axes:
        row[0].set_ylabel(ERRORS[table["error_metric"].iloc[0]])
    legend_below(figure, axes.flat[0])
    _remark_lacking(figure, table)
    return figure


def arm_plots(table: pd.DataFrame) -> dict[str, Figure]:
    """One arm under every kind, from mild to severe.

    Args:
        table: of ``robustness_table``.

    Returns:
        {file name: plot}: ``<arm>.png``, or ``<arm>_<projection>.png`` where the arm has several projections.
    """
    return {
        f"{arm}.png"
        if table.loc[table["arm"] == arm, "projection"].nunique() == 1
        else f"{arm}_{projection}.png": _arm(rows)
        for (arm, projection), rows in table.groupby(["arm", "projection"], sort=False)
    }


def _arm(rows: pd.DataFrame) -> Figure:
    figure, axis = new_figure()
    for number, kind in enumerate(kind for kind in rows["kind"].unique() if kind != CLEAN):
        shown = _of_kind(rows, kind)
        levels = ", ".join(f"{level:g}" for level in shown["level"][1:])
        _curve(axis, shown, f"{kind.replace('_', ' ')}: {levels} ({shown['unit'].iloc[-1]})", number, band=True)
    severities = sorted(rows["severity"].unique())
    axis.set_xticks(severities, [CLEAN, *map(str, severities[1:])])
    axis.set(xlabel="severity: the levels below, each in their order", ylabel=ERRORS[rows["error_metric"].iloc[0]])
    title(axis, _label(rows))
    legend_below(figure, axis, most=2)
    _remark_lacking(figure, rows)
    return figure


def _remark_lacking(figure: Figure, rows: pd.DataFrame) -> None:
    if (lacking := without_interval(rows)) is not None:
        remark(figure, lacking, INK)


def _of_kind(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    return rows[rows["kind"].isin([CLEAN, kind])].sort_values("severity")


def _curve(axis: Axes, rows: pd.DataFrame, label: str, number: int, band: bool) -> None:
    look: dict[str, Any] = {"color": PALETTE[number % len(PALETTE)]}
    values, low, high = (100 * rows[name].to_numpy(dtype=float) for name in ("error", "error_low", "error_high"))
    place = rows["severity"].to_numpy()
    style = STYLES[number // len(PALETTE) % len(STYLES)]
    axis.plot(place, values, style, marker="o", markersize=3.5, linewidth=1.7, label=label, **look)
    if band and np.isfinite([low, high]).all():
        axis.fill_between(place, low, high, alpha=0.15, linewidth=0, **look)


def _label(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    return arm_label(str(first["title"]), str(first["projection"]))
