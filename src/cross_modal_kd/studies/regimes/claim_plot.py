"""The source's claim, drawn: what a heavier pull towards the teacher does to a hard and to a soft student."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cross_modal_kd.plotting import ALONE, DISTILLED, IMPOSTOR, INK, TEACHER, legend_below, new_figure, remark, title
from cross_modal_kd.studies.regimes.plots import APART, METRICS, PALETTE, Look, log_ticks
from cross_modal_kd.studies.words import without_interval

TRAIN, TEST = "teacher_student_distance_train", "teacher_student_distance_test"
ACTIVE = "active_fraction_"


def claim_plot(table: pd.DataFrame, look: Look) -> Figure:
    """Error, distance to the teacher and the share of samples outside the margin, over the weight of the constraints.

    A student that overfits to its teacher comes nearer to it on training samples while on test samples the distance
    stays and the error rises; one whose samples are inside the margin is no longer pulled.

    Args:
        table: of ``study_tables``: arm, title, value (the weight's factor), error_metric, error_mean with its ends,
            the distances to the teacher on training and test samples, and ``active_fraction_<constraint>``.
        look: heading, axis and how the factors are written.

    Returns:
        A plot of three panels over one logarithmic axis.
    """
    figure, axes = new_figure(rows=3, height=8.2, sharex=True, gridspec_kw={"height_ratios": [5, 5, 3]})
    arms = [(str(arm), rows) for arm, rows in table.groupby("arm", sort=False)]
    for number, (arm, rows) in enumerate(arms):
        rows = rows.sort_values("value", kind="stable")
        colour = _colour(arms, number)
        places = rows["value"].to_numpy(dtype=float) * APART**number
        _arm(axes, places, rows, colour, rows["title"].iloc[0] or arm)
    above, middle, below = axes
    above.set_ylabel(f"{METRICS[table['error_metric'].iloc[0]]}, %")
    middle.set_ylabel("distance to the teacher\n(1 - cosine)")
    middle.plot([], [], "-", color=INK, label="test samples")
    middle.plot([], [], "--", color=INK, label="training samples")
    middle.legend(frameon=False, fontsize=8, labelcolor=INK, loc="lower left")
    below.set(xlabel=look.axis, ylabel="samples outside\nthe margin, %", ylim=(-4, 104))
    log_ticks(below, table["value"].to_numpy(dtype=float), look.ticks or "{:g}")
    title(above, look.heading)
    legend_below(figure, above, most=2)
    if said := [line for line in (look.note, without_interval(table)) if line]:
        remark(figure, "\n".join(said), IMPOSTOR if look.note else INK)
    return figure


def _colour(arms: list[tuple[str, pd.DataFrame]], number: int) -> str:
    """Hard arms warm, soft ones cold, where there is one of each; the student alone grey."""
    alone = [TEST not in rows or not _actives(rows) for _, rows in arms]
    if alone[number]:
        return ALONE
    bound = [index for index, grey in enumerate(alone) if not grey]
    hard = [bool((arms[index][1][_actives(arms[index][1])] >= 1).all(axis=None)) for index in bound]
    if len(bound) == 2 and hard in ([True, False], [False, True]):
        return IMPOSTOR if hard[bound.index(number)] else DISTILLED
    return [DISTILLED, TEACHER, *PALETTE[2:]][bound.index(number) % len(PALETTE)]


def _actives(rows: pd.DataFrame) -> list[str]:
    """Columns of the shares outside the margin that an arm has."""
    return [name for name in map(str, rows) if name.startswith(ACTIVE) and rows[name].notna().all()]


def _arm(axes: np.ndarray, places: np.ndarray, rows: pd.DataFrame, colour: str, label: str) -> None:
    above, middle, below = axes
    _errors(above, places, rows, colour, label)
    if actives := _actives(rows):
        for column, line in ((TEST, "-o"), (TRAIN, "--o")):
            filled = colour if column == TEST else "white"
            middle.plot(places, rows[column], line, color=colour, linewidth=1.4, markersize=5, markerfacecolor=filled)
        for column, line in zip(actives, ("-o", ":s", "-.^", "--d"), strict=False):
            below.plot(places, 100 * rows[column], line, color=colour, linewidth=1.4, markersize=5)


def _errors(axis: Axes, places: np.ndarray, rows: pd.DataFrame, colour: str, label: str) -> None:
    middle, low, high = (100 * rows[f"error_{name}"].to_numpy(dtype=float) for name in ("mean", "low", "high"))
    axis.vlines(places, low, high, color=colour, linewidth=1.4, alpha=0.6)
    axis.plot(places, middle, "-o", color=colour, linewidth=1.4, markersize=5, label=label)
