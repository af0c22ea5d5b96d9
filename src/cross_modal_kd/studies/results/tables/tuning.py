"""The table of tuning_trials.csv."""

import pandas as pd

from cross_modal_kd.studies.results.numbers import number
from cross_modal_kd.studies.results.tables.table import Table


def tuning_tables(frame: pd.DataFrame) -> list[Table]:
    """The best trial of each arm, beside the arm as it was configured (its first trial).

    Trials that were cut off do not count.

    Args:
        frame: in the columns of ``tuning.search.summary``, with ``labelled`` where several shares were searched, and
            ``fold`` where several folds were.

    Returns:
        One table, a row an arm (and share, and fold).
    """
    about = {"arm", "trial", "state", "dev", "larger_is_better", "best", "labelled", "fold"}
    of = {"labelled": lambda share: f"{100 * share:g} %", "fold": lambda fold: f"{fold:g}"}
    of = {column: said for column, said in of.items() if column in frame}
    rows, ended = [], frame[frame["state"].isin(["complete", "pruned"])]
    for _, trials in ended.groupby([*of, "arm"], sort=False):
        best = trials[trials["best"].astype(bool)].iloc[0]
        tried = {str(name): value for name, value in best.items() if name not in about and pd.notna(value)}
        values = [f"{name} {number('', value)}" for name, value in tried.items()]
        first, pruned = trials.sort_values("trial").iloc[0], int((trials["state"] == "pruned").sum())
        metrics = [number("dev", first["dev"]), number("dev", best["dev"])]
        named = [*(said(first[column]) for column, said in of.items()), str(first["arm"])]
        rows.append([*named, str(len(trials)), str(pruned), *metrics, ", ".join(values) or "as configured"])
    metric = "top-1" if bool(frame["larger_is_better"].iloc[0]) else "EER"
    header = [*of, "arm", "trials", "pruned"]
    header += [f"dev {metric} as configured, %", f"dev {metric} of the best, %", "its values"]
    return [Table("The best trial of each arm on the dev split; the test split was not read", header, rows)]
