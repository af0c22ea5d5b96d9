"""The tables of damaged tests and of the quality measures."""

import pandas as pd

from cross_modal_kd.studies.results.numbers import NOTHING, number, with_interval
from cross_modal_kd.studies.results.tables.arms import ERROR, bearing
from cross_modal_kd.studies.results.tables.table import Table, cell, records


def robustness_tables(frame: pd.DataFrame) -> list[Table]:
    """A row a kind and level, a column an arm; the difference where there are two arms.

    Args:
        frame: a row a condition and arm: ``kind``, ``level``, ``unit``, ``severity`` (0: undamaged), ``arm``,
            ``title``, ``projection``, ``error`` and ``difference_to_alone`` with their ends, ``error_metric``,
            ``damaged_sides``.

    Returns:
        One table.
    """
    arms = frame.drop_duplicates(["arm", "projection"])
    several = arms["title"].duplicated().any()
    names = [f"{row['title']} ({row['projection']})" if several else str(row["title"]) for row in records(arms)]
    header = ["damage", "level", *names, *(["difference, points"] if len(arms) == 2 else [])]
    rows = []
    for _, group in frame.groupby(["kind", "severity"], sort=False):
        found = records(group)
        level = NOTHING if found[0]["severity"] == 0 else f"{found[0]['level']:g} ({found[0]['unit']})"
        difference = [cell(found[1], "difference_to_alone")] if len(arms) == 2 else []
        rows.append([str(found[0]["kind"]), level, *(cell(row, "error") for row in found), *difference])
    metric = ERROR.get(str(frame["error_metric"].iloc[0]), "error, %")
    sides = frame["damaged_sides"].iloc[0]
    caption = (
        f"{metric} under damage to the test samples ({'test side of a trial' if sides == 'test' else 'both sides'})"
    )
    return [Table(bearing(caption, frame), header, rows)]


def ordering_tables(frame: pd.DataFrame) -> list[Table]:
    """One table a modality: measures down, degradations across.

    Args:
        frame: a row a modality, measure and degradation, with ``rank_correlation``, ``low`` and ``high``.

    Returns:
        By the modalities' names.
    """
    tables = []
    for modality, rows in frame.groupby("modality", sort=True):
        damages, cells = list(dict.fromkeys(rows["degradation"])), {}
        for row in records(rows):
            shown = with_interval("rank_correlation", row["rank_correlation"], row["low"], row["high"])
            cells[row["measure"], row["degradation"]] = shown
        lines = [
            [str(measure), *(cells.get((measure, damage), NOTHING) for damage in damages)]
            for measure in dict.fromkeys(rows["measure"])
        ]
        caption = (
            f"{str(modality).capitalize()}: rank correlation of each measure with less damage (1: orders it fully)"
        )
        tables.append(Table(caption, ["measure", *map(str, damages)], lines))
    return tables


DISCARDED = (0.0, 0.2, 0.5)


def discard_tables(frame: pd.DataFrame) -> list[Table]:
    """The error at a few shares left out, worst first, beside random order.

    Args:
        frame: a row a measure and share: ``measure``, ``share_left_out``, ``eer``, ``eer_random_order`` and
            ``area_over_random`` (the same in all rows of a measure).

    Returns:
        One table, a row a measure; of each share in ``DISCARDED`` the nearest that there is.
    """
    rows = []
    for measure, curve in frame.groupby("measure", sort=False):
        cells = []
        for share in DISCARDED:
            row = curve.iloc[(curve["share_left_out"] - share).abs().argmin()]
            found = number("eer", row["eer"])
            if share:
                found += f" (random {number('eer', row['eer_random_order'])})"
            cells.append(found)
        rows.append([str(measure), *cells, number("area", curve["area_over_random"].iloc[0])])
    header = ["measure", *(f"EER at about {share:.0%} left out, %" for share in DISCARDED), "area over random order"]
    return [Table("Error as the worst samples are left out; an area below 1 is better than random", header, rows)]
