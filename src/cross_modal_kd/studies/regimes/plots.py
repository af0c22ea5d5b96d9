"""One plot a study: error over its conditions, and what each arm takes off the baseline's."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cross_modal_kd.plotting import (
    ALONE,
    DISTILLED,
    FAINT,
    IMPOSTOR,
    INK,
    TEACHER,
    legend_below,
    new_figure,
    remark,
    title,
)
from cross_modal_kd.studies.words import without_interval

PALETTE = [DISTILLED, TEACHER, IMPOSTOR, "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#999933"]
MARKERS = "osD^"
BESIDE = 0.06  # from one arm to the next under one condition, where a condition takes 1
APART = 1.02  # from one arm to the next on a logarithmic axis, so that intervals do not hide one another
METRICS = {"eer": "EER", "top1_error": "top-1 error"}


@dataclass(frozen=True)
class Look:
    """How a study is drawn.

    x: the column along the axis; None sets the conditions side by side. in_percent: that column holds shares.
    ticks: how to write its values, on a logarithmic axis; None leaves a plain one. note: what must be known wherever
    the plot is shown. as_weak: an arm; where the axis shows the teacher's error, a line marks that arm's own, right of
    which the teacher is weaker. bound: the title of what errors are reduced against where no sample has a label, if a
    teacher binds it.
    """

    heading: str
    axis: str
    x: str | None = None
    ticks: str | None = None
    in_percent: bool = False
    note: str = ""
    as_weak: str | None = None
    bound: str = ""

    def places(self, rows: pd.DataFrame, conditions: list[str]) -> np.ndarray:
        """Where each row stands on the axis.

        Args:
            rows: n rows of a study's table.
            conditions: names of all conditions, in the order of the axis; they count where ``x`` is None.

        Returns:
            (n,) floats: number of the row's condition from 0, or its value of ``x``, in percent where ``in_percent``.
        """
        if self.x is None:
            return np.array([conditions.index(name) for name in rows["condition"]], dtype=float)
        return (100 if self.in_percent else 1) * rows[self.x].to_numpy(dtype=float)


def study_plot(table: pd.DataFrame, look: Look) -> Figure:
    """Above: error, with its interval. Below: error reduction against the baseline under the same condition.

    Args:
        table: of ``study_tables``: arm, title, condition, error_metric, error_mean, error_low and error_high,
            relative_reduction_to_baseline with low and high (shares), and the column ``look.x``.
        look: heading, axis and ticks.

    Returns:
        A plot of two panels over one axis, in percent.
    """
    figure, (above, below) = new_figure(rows=2, height=6.2, sharex=True)
    conditions = table["condition"].drop_duplicates().tolist()
    _arms(above, below, table, look, conditions)
    if look.as_weak and look.x:
        _mark_weak_teacher((above, below), table, look.as_weak)
    below.axhline(0, color=INK, linewidth=1)
    _ticks(below, table, look, conditions)
    above.set_ylabel(f"{METRICS[table['error_metric'].iloc[0]]}, %")
    unlabelled = f"\n(at 0%: {look.bound}), %" if look.bound else ", %"
    below.set(xlabel=look.axis, ylabel=f"error reduction against the\nstudent without a teacher{unlabelled}")
    title(above, look.heading)
    legend_below(figure, above)
    if said := [line for line in (look.note, without_interval(table)) if line]:
        remark(figure, "\n".join(said), IMPOSTOR if look.note else INK)
    return figure


def _arms(above: Axes, below: Axes, table: pd.DataFrame, look: Look, conditions: list[str]) -> None:
    """A line an arm; the baseline has no reduction against itself. Arms of one colour differ in their markers."""
    others, taken = cycle(PALETTE), Counter[str]()
    middle = (table["arm"].nunique() - 1) / 2
    reduced = "relative_reduction_to_baseline"
    for number, (arm, rows) in enumerate(table.groupby("arm", sort=False)):
        alone = reduced not in rows or rows[reduced].isna().all()
        colour = ALONE if alone else next(others)
        places = look.places(rows, conditions)
        order = np.argsort(places, kind="stable")
        rows, places = rows.iloc[order], places[order]
        if look.x is None:
            places = places + BESIDE * number
        elif look.ticks:
            places = beside_zero(places, look.places(table, conditions)) * APART ** (number - middle)
        style = ("-" if look.x is not None else "") + MARKERS[taken[colour] % len(MARKERS)]
        taken[colour] += 1
        label = rows["title"].iloc[0] or str(arm)
        _line(above, places, rows, "error_mean", "error", colour, label, style)
        if not alone:
            _line(below, places, rows, reduced, reduced, colour, label, style)


def _mark_weak_teacher(axes: Iterable[Axes], table: pd.DataFrame, arm: str) -> None:
    own = 100 * table.loc[table["arm"] == arm, "error_mean"].mean()
    for axis in axes:
        axis.axvline(own, color=FAINT, linewidth=3, label="teacher as weak as the student", zorder=0)


def beside_zero(places: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Places on a logarithmic axis, which has none for 0: it stands left of the others, as far as 4 lies from 1.

    Args:
        places: 0 and more.
        there: all places of the axis.

    Returns:
        The places, none of them 0 where one of ``there`` is above it.
    """
    return np.where(places == 0, min(there[there > 0], default=1.0) / 4, places)


def log_ticks(axis: Axes, places: np.ndarray, ticks: str) -> None:
    """A logarithmic axis with a tick at each of the places and nowhere else.

    Args:
        axis: is changed.
        places: 0 and more, in any order, also several times; see ``beside_zero``.
        ticks: how one is written, a format of ``str.format``.
    """
    values = np.unique(places)
    axis.set_xscale("log")
    axis.set_xticks(beside_zero(values, values), [ticks.format(value) for value in values])
    axis.minorticks_off()


def _ticks(axis: Axes, table: pd.DataFrame, look: Look, conditions: list[str]) -> None:
    if look.ticks:
        log_ticks(axis, look.places(table, conditions), look.ticks)
    if look.x is None:
        middle = BESIDE * (table["arm"].nunique() - 1) / 2
        axis.set_xticks(np.arange(len(conditions)) + middle, conditions)


def _line(
    axis: Axes, places: np.ndarray, rows: pd.DataFrame, value: str, ends: str, colour: str, label: str, style: str
) -> None:
    middle, low, high = (100 * rows[name].to_numpy(dtype=float) for name in (value, f"{ends}_low", f"{ends}_high"))
    axis.vlines(places, low, high, color=colour, linewidth=1.4, alpha=0.6)
    axis.plot(places, middle, style, color=colour, linewidth=1.4, markersize=5, label=label)
